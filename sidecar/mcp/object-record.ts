import type { IntentBody, ResultBody } from '../../lib/api/receipt.ts'
import { canonical, sha256hex } from '../../lib/core/canonical.ts'
import type { ReadObject } from '../../lib/core/decide.ts'
import { redact } from '../../lib/core/redact.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { InForce } from '../authority.ts'
import type { Commitments, Place } from '../commitments.ts'
import { redactionsIn } from '../redactions.ts'
import { changesBetween } from './changed.ts'
import type { DecidedCall } from './decide-call.ts'
import { SessionGone } from './forward.ts'

/** What receipts say of the object a call is about, redacted as results of its read are. */
export const createObjectRecord = (commitments: Commitments) => {
  const shown = (inForce: InForce, { tool, value }: ReadObject, trace: Place['trace']): Json | undefined => {
    const slash = tool.indexOf('/')
    const { recorded } = redactionsIn(inForce, tool.slice(0, slash), tool.slice(slash + 1))
    return value === undefined ? undefined : redact(value, recorded, commitments.at({ trace, part: 'object' }))
  }
  return {
    /** The object as it was read before; of several the first. */
    before: ({ inForce, objects }: DecidedCall, trace: Place['trace']): IntentBody['object'] => {
      const [first] = objects
      const value = first && shown(inForce, first, trace)
      return first && value !== undefined ? { read: first.tool, digest: sha256hex(canonical(value)) } : undefined
    },
    /** What a call that worked has changed of it; undefined when it cannot be read again. */
    changed: async (decided: DecidedCall, trace: Place['trace']): Promise<ResultBody['changed']> => {
      const { inForce, objects, readAgain } = decided
      const was = objects[0] && shown(inForce, objects[0], trace)
      if (was === undefined) return undefined
      const [after] = await readAgain().catch((error: unknown) => {
        if (error instanceof SessionGone) return []
        throw error
      })
      const is = after && shown(inForce, after, trace)
      return is === undefined ? undefined : changesBetween(was, is)
    },
  }
}
