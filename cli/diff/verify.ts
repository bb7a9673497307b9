import type { DecisionRecord } from '../../lib/api/receipt.ts'
import { decide } from '../../lib/core/decide.ts'
import { decideAnswer, decideOther } from '../../lib/core/decide-other.ts'
import { type History, newHistory, remember } from '../../lib/core/history/history.ts'
import type { PreparedRemit } from '../../lib/core/prepare.ts'
import type { Json } from '../../lib/core/strict.ts'
import { type Candidate, callOf, type Judge } from './judge.ts'
import type { OtherType } from './other.ts'
import type { Before } from './pasts.ts'

/** What is asked of a change: a call that is newly made, or one that newly waits or is drafted. */
export type Question = 'Allow' | 'Ask'

/** How far a call gets: what is asked may happen, what is drafted does not. */
const REACH = { Deny: 0, Draft: 1, Ask: 2, Allow: 3 } as const

export interface Decided {
  old: DecisionRecord
  new: DecisionRecord
}

/** What the real decision is, under both. */
export function judged(judge: Judge, candidate: Candidate, before: Before): Decided {
  const one = (which: 'old' | 'new'): DecisionRecord => {
    const prepared = judge[which]
    const history = newHistory(prepared)
    history.loaded = true
    for (const event of before.events) remember(history, event)
    const { type } = candidate.target
    return type === undefined
      ? decide(prepared, callOf(judge.sides[which], candidate), history, judge.now)
      : decideAbout(prepared, type, candidate, history, judge.now)
  }
  return { old: one('old'), new: one('new') }
}

function decideAbout(
  prepared: PreparedRemit,
  type: OtherType,
  { target, arguments: args, objects }: Candidate,
  history: History,
  now: number,
): DecisionRecord {
  const { server, tool } = target
  if (type === 'resource') {
    const { uri } = args as { uri?: Json }
    return decideOther(prepared, { type, server, name: String(uri), arguments: {} }, history, now)
  }
  if (type === 'prompt') return decideOther(prepared, { type, server, name: tool, arguments: args }, history, now)
  const request = { type: 'request', server, name: tool, arguments: args } as const
  const decision = decideOther(prepared, request, history, now)
  if (type === 'request' || decision.effect !== 'Allow') return decision
  return decideAnswer(prepared, request, objects[0]?.value ?? {})
}

/** Whether that is what was asked for. */
export function answers(question: Question, { old, new: now }: Decided): boolean {
  if (REACH[now.effect] <= REACH[old.effect]) return false
  return (now.effect === 'Allow') === (question === 'Allow')
}
