import type { ReceiptBody } from '../lib/api/receipt.ts'
import type { Freeze } from '../lib/core/history/history.ts'
import type { Logger } from '../lib/service/log.ts'

export interface EscalationOptions {
  record: (body: ReceiptBody) => Promise<unknown>
  /** Tells whoever watches that a breaker opened. */
  onFreeze: () => void
  log: Logger
}

/**
 * Records each freeze once, at once. Resolves when that is on disk; undefined when there is nothing to wait for.
 */
export const createEscalation = ({ record, onFreeze, log }: EscalationOptions) => {
  let escalating: Promise<void> | undefined
  return (freeze: Freeze | undefined): Promise<void> | undefined => {
    if (!freeze || freeze.recorded) return escalating
    freeze.recorded = true
    const { policy, detail } = freeze
    log.error({ policy, detail }, 'a breaker opened: the agent is frozen')
    onFreeze()
    const written = record({ kind: 'escalation', code: 'AgentFrozen', policy, detail })
      .then(
        () => {},
        // The spool keeps what it cannot write yet, and writes it first.
        (error: unknown) => log.error({ err: error }, 'the freeze is in force but not recorded yet'),
      )
      .finally(() => {
        if (escalating === written) escalating = undefined
      })
    escalating = written
    return written
  }
}
