import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Request, Response } from 'express'
import { UserError } from '../../lib/core/errors.ts'
import { rfc3339 } from '../../lib/core/rfc3339.ts'
import type { SidecarCaller } from '../auth/caller.ts'
import { writerOf } from '../http/writer.ts'
import type { ReceiptStore } from '../store/store.ts'
import { linesOf } from './past.ts'

export interface HistoryPorts {
  store: Pick<ReceiptStore, 'index' | 'settled'>
  agentIdOf: (namespace: string, agent: string) => string | undefined
  now: () => number
}

/** No rule looks further back than 31 days; the day more is for clocks that differ. */
const FARTHEST_MS = 32 * 86_400_000
/** A row may hold 16 KB of facts. */
const PAGE = 200

const sinceOf = (url: string): number => {
  const asked = [...new URL(url, 'https://ledger').searchParams]
  const [name, text = ''] = asked[0] ?? []
  const at = rfc3339(text)
  if (asked.length !== 1 || name !== 'since' || at === undefined)
    throw new UserError('MalformedRequest', { detail: 'say since=, an RFC 3339 time such as 2026-10-05T02:00:00Z' })
  return at
}

/** The agent the caller's pod runs, and the container start there that may still be calling. */
const callerOf = ({ store, agentIdOf }: HistoryPorts, { namespace, agent, podUID }: SidecarCaller) => {
  const agentId = agentIdOf(namespace, agent)
  if (agentId === undefined) throw new UserError('NoRemit')
  const living = store.index.newestOf(podUID)
  if (living !== undefined && store.index.incarnation(living)?.agentId !== agentId)
    throw new UserError('Forbidden', { detail: 'the pod is of an agent that is gone' })
  return { agentId, living }
}

/**
 * Streams what the caller's agent did, over all its pods: one Past a line, oldest first, its last freeze before all.
 * Memory stays the same however much it is. An answer that ends as HTTP says is whole.
 */
export const sendHistory =
  (ports: HistoryPorts) =>
  async (caller: SidecarCaller, request: Pick<Request, 'url'>, response: Response): Promise<void> => {
    const { store, now } = ports
    const since = Math.max(sinceOf(request.url), now() - FARTHEST_MS)
    await store.settled()
    const { agentId, living } = callerOf(ports, caller)
    const writer = writerOf(response)
    response.setHeader('content-type', 'application/x-ndjson')
    const frozen = store.index.lastFreeze(agentId, since)
    if (frozen) await writer.write(linesOf([frozen], living).join(''))
    for (let after = { past: since, n: 0 }; ; await nextTurn()) {
      const rows = store.index.past(agentId, after, PAGE)
      const last = rows.at(-1)
      if (last && !(await writer.write(linesOf(rows, living).join('')))) return
      if (!last || rows.length < PAGE) break
      after = last
    }
    response.end()
  }
