import type { Past } from '../../lib/api/ledger.ts'
import type { Effect } from '../../lib/api/receipt.ts'
import type { PastRow } from '../store/past.ts'

/** One stored receipt as a sidecar remembers it. */
const pastOf = (row: PastRow): Past => {
  const { kind, past: at } = row
  if (kind === 'escalation') return { kind: 'frozen', at, policy: row.policy ?? '', detail: row.reason ?? '' }
  if (kind !== 'intent')
    return { kind: 'result', id: row.intent ?? '', at, outcome: row.outcome as (Past & { kind: 'result' })['outcome'] }
  const { name: id, server, effect } = row as PastRow & { server: string; effect: Effect }
  if (row.type !== 'tool') return { kind: 'read', id, at, server, effect }
  return {
    kind: 'intent',
    id,
    at,
    server,
    tool: row.tool ?? '',
    effect,
    ...(row.class === null ? {} : { class: row.class as (Past & { kind: 'intent' })['class'] }),
    ...(row.facts === null ? {} : { facts: JSON.parse(row.facts) }),
  }
}

/**
 * Rows as lines of a history. A call of a container start that has ended, with no outcome on record, will not get one
 * here any more: nobody knows whether it took effect. `living` is the container start that may still be calling.
 */
export const linesOf = (rows: PastRow[], living: string | undefined): string[] =>
  rows.flatMap((row) => {
    const past = pastOf(row)
    const lost = row.kind === 'intent' && row.outcome === null && row.incarnation !== living
    const told: Past[] = lost ? [past, { kind: 'result', id: row.name, at: past.at, outcome: 'unknown' }] : [past]
    return told.map((each) => `${JSON.stringify(each)}\n`)
  })
