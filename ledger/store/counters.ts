import type { DatabaseSync } from 'node:sqlite'
import type { Counters, Freezes } from '../../lib/api/ledger.ts'
import type { Row } from './rows.ts'

export interface CountersTable {
  count(row: Row): void
  read(): Counters
  /** The last freeze of each agent that ever was frozen. */
  freezes(): Freezes
}
interface Counted {
  agent_id: string
  calls: number
  denied: number
  at: number | null
  what: string | null
  frozen_at: number | null
  frozen_policy: string
  frozen_detail: string
}

const freezeOf = ({ frozen_at, frozen_policy, frozen_detail }: Counted) =>
  frozen_at === null
    ? undefined
    : { at: new Date(frozen_at).toISOString(), policy: frozen_policy, detail: frozen_detail }

/** What each agent did, counted while its receipts are learnt. */
export const openCounters = (db: DatabaseSync): CountersTable => {
  const call = db.prepare(
    `INSERT INTO counters (agent_id, calls, denied, at, what) VALUES (:id, 1, :denied, :at, :what)
     ON CONFLICT DO UPDATE SET calls = calls + 1, denied = denied + :denied, at = :at, what = :what`,
  )
  const freeze = db.prepare(
    `INSERT INTO counters (agent_id, calls, denied, frozen_at, frozen_policy, frozen_detail)
     VALUES (:id, 0, 0, :at, :policy, :detail)
     ON CONFLICT DO UPDATE SET frozen_at = :at, frozen_policy = :policy, frozen_detail = :detail
     WHERE frozen_at IS NULL OR frozen_at <= :at`,
  )
  const all = db.prepare('SELECT * FROM counters')
  const frozen = db.prepare('SELECT * FROM counters WHERE frozen_at IS NOT NULL')
  return {
    count: (row) => {
      const { agent_id: id, time: at } = row
      if (row.kind === 'intent') call.run({ id, denied: row.effect === 'Deny' ? 1 : 0, at, what: row.action })
      if (row.kind === 'escalation') freeze.run({ id, at, policy: row.policy, detail: row.reason })
    },
    read: () => ({
      agents: Object.fromEntries(
        (all.all() as unknown as Counted[]).map((counted) => [
          counted.agent_id,
          {
            calls: counted.calls,
            denied: counted.denied,
            lastAction:
              counted.at === null ? undefined : { at: new Date(counted.at).toISOString(), what: counted.what ?? '' },
            frozen: freezeOf(counted),
          },
        ]),
      ),
    }),
    freezes: () => ({
      agents: Object.fromEntries(
        (frozen.all() as unknown as Counted[]).flatMap((counted) => {
          const freeze = freezeOf(counted)
          return freeze ? [[counted.agent_id, freeze] as const] : []
        }),
      ),
    }),
  }
}
