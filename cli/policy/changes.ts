import type { Effect } from '../../lib/api/receipt.ts'
import type { Replay, Replayed } from './replay.ts'
import { labelOf, type What } from './what.ts'

/** Calls of one tool, reads of one resource ...: how many, what the candidate says to them, and which it decides otherwise than it was. */
export interface ToolChanges {
  what: What
  calls: number
  now: Record<Effect, number>
  changes: { was: Effect; now: Effect; calls: number }[]
}

const STRENGTH: Record<Effect, number> = { Allow: 0, Draft: 1, Ask: 2, Deny: 3 }

export const isChange = ({ was, now }: Replayed): boolean => was.effect !== now.effect
/** Whether the candidate gives more than was given. */
export const isWider = ({ was, now }: Replayed): boolean => STRENGTH[now.effect] < STRENGTH[was.effect]

/** Counts by what was called or read, sorted by name. */
export const byTool = (replayed: Replayed[]): ToolChanges[] => {
  const tools = new Map<string, ToolChanges>()
  for (const { what, was, now } of replayed) {
    const key = labelOf(what)
    const counted = tools.get(key) ?? {
      what,
      calls: 0,
      now: { Allow: 0, Draft: 0, Ask: 0, Deny: 0 },
      changes: [],
    }
    tools.set(key, counted)
    counted.calls++
    counted.now[now.effect]++
    if (was.effect === now.effect) continue
    const change = counted.changes.find((known) => known.was === was.effect && known.now === now.effect)
    if (change === undefined) counted.changes.push({ was: was.effect, now: now.effect, calls: 1 })
    else change.calls++
  }
  return [...tools].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, counted]) => counted)
}

/** How many calls cannot be replayed, by why. */
export const skippedBy = ({ skipped }: Replay): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { why } of skipped) counts[why] = (counts[why] ?? 0) + 1
  return counts
}
