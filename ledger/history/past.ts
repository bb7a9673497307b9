import type { Past } from '../../lib/api/ledger.ts'
import type { PastRow } from '../store/past.ts'

/** One stored receipt as a sidecar remembers it. */
const pastOf = (row: PastRow): Past => {
  const { kind, past: at } = row
  if (kind === 'escalation') return { kind: 'frozen', at, policy: row.policy ?? '', detail: row.reason ?? '' }
  if (kind !== 'intent')
    return { kind: 'result', id: row.intent ?? '', at, outcome: row.outcome as (Past & { kind: 'result' })['outcome'] }
  return {
    kind: 'intent',
    id: row.name,
    at,
    server: row.server ?? '',
    tool: row.tool ?? '',
    effect: row.effect as (Past & { kind: 'intent' })['effect'],
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
    const lost = past.kind === 'intent' && row.outcome === null && row.incarnation !== living
    const told: Past[] = lost ? [past, { kind: 'result', id: past.id, at: past.at, outcome: 'unknown' }] : [past]
    return told.map((each) => `${JSON.stringify(each)}\n`)
  })
