import type { DatabaseSync } from 'node:sqlite'
import type { Row } from './rows.ts'

/** A receipt as a history needs it. `past` is when it counts there, in milliseconds. */
export type PastRow = Pick<
  Row,
  | 'n'
  | 'incarnation'
  | 'name'
  | 'kind'
  | 'type'
  | 'server'
  | 'tool'
  | 'effect'
  | 'policy'
  | 'reason'
  | 'intent'
  | 'outcome'
  | 'class'
  | 'facts'
> & { past: number }

export interface PastTable {
  /** What an agent did, over all its pods, in order of time; what comes after the row of `past` and `n`. */
  page(agentId: string, after: Pick<PastRow, 'past' | 'n'>, limit: number): PastRow[]
  /** Its last freeze from before `before` (milliseconds). */
  lastFreeze(agentId: string, before: number): PastRow | undefined
}

const SELECT =
  'SELECT n, incarnation, name, kind, type, server, tool, effect, policy, reason, intent, outcome, class, facts, past FROM receipts'

/** The history of agents, for their sidecars. */
export const openPast = (db: DatabaseSync): PastTable => {
  const page = db.prepare(
    `${SELECT} WHERE past IS NOT NULL AND agent_id = ? AND (past, n) > (?, ?) ORDER BY past, n LIMIT ?`,
  )
  const lastFreeze = db.prepare(
    `${SELECT} WHERE kind = 'escalation' AND agent_id = ? AND past < ? ORDER BY past DESC LIMIT 1`,
  )
  return {
    page: (agentId, after, limit) => page.all(agentId, after.past, after.n, limit) as unknown as PastRow[],
    lastFreeze: (agentId, before) => lastFreeze.get(agentId, before) as PastRow | undefined,
  }
}
