import type { Past } from '../../lib/api/ledger.ts'
import type { DecisionRecord } from '../../lib/api/receipt.ts'
import type { Remit } from '../../lib/api/remit.ts'
import { type Assessment, assess, type ToolCall } from '../../lib/core/decide.ts'
import { type History, newHistory, remember } from '../../lib/core/history/history.ts'
import { type PreparedRemit, prepare } from '../../lib/core/prepare.ts'
import type { CallLine } from './calls.ts'
import { definitionOf, type Tools } from './tools.ts'

/** A line and what the policies say to it, after all lines before. */
export interface Decided {
  call: CallLine
  /** Milliseconds since the epoch. */
  at: number
  decision: DecisionRecord
  /** Absent when the gate would not have taken the request. */
  assessment?: Assessment
  /** The breaker that this call opened. */
  opened?: { policy: string; detail: string }
}

/** One remit and what happened under it. */
export interface Track {
  prepared: PreparedRemit
  history: History
}

/** A track whose past begins with the first line. */
export const newTrack = (remit: Remit): Track => {
  const prepared = prepare(remit)
  const history = newHistory(prepared)
  // Nothing happened before the first line, so nothing of it is missing.
  history.loaded = true
  return { prepared, history }
}

/** What is asked of a track at one line, once more if need be. */
export type Ask = (track: Track) => Assessment

/**
 * Decides the lines in order, each with the history of those before it: a call that was allowed has happened, with its
 * outcome. Time is that of `at`; a line that goes back leaves the past's clock where it was, which frees no limit.
 * @param start milliseconds since the epoch: the time of a first line without `at`
 * @param each called for every line whose request the gate would take, before it is part of the past
 */
export function* decideLines(
  track: Track,
  calls: CallLine[],
  options: { tools?: Tools; start: number; each?: (ask: Ask, decided: Decided) => void; past?: (past: Past) => void },
): Generator<Decided> {
  let at = options.start
  let steady = Number.NEGATIVE_INFINITY
  const happened = (past: Past) => {
    options.past?.(past)
    return remember(track.history, past)
  }
  for (const call of calls) {
    at = call.at ?? at
    steady = Math.max(steady, at)
    if (call.request === undefined) {
      const { code, reason } = call.refused as NonNullable<CallLine['refused']>
      yield { call, at, decision: { effect: 'Deny', code, reason } }
      continue
    }
    const { server, tool } = call
    const asked: ToolCall = { server, tool, ...call.request, definition: definitionOf(options.tools, server, tool) }
    const now = at
    const clock = steady
    const ask: Ask = ({ prepared, history }) => assess(prepared, asked, history, now, clock)
    const assessment = ask(track)
    const { decision } = assessment
    const decided: Decided = { call, at, decision, assessment }
    options.each?.(ask, decided)
    const id = String(call.line)
    const intent: Past = {
      kind: 'intent',
      id,
      at: steady,
      server,
      tool,
      effect: decision.effect,
      class: assessment.class,
      facts: assessment.record,
    }
    const opened = happened(intent)
    const after =
      decision.effect === 'Allow' ? happened({ kind: 'result', id, at: steady, outcome: call.outcome }) : undefined
    const freeze = opened ?? after
    yield freeze === undefined ? decided : { ...decided, opened: freeze }
  }
}

const CODES = { Allow: 0, Draft: 0, Ask: 3, Deny: 4 } as const
/** The exit code of the strongest: 0 allowed or drafted, 3 waiting, 4 denied. */
export const exitCodeOf = (decisions: DecisionRecord[]): number =>
  Math.max(0, ...decisions.map(({ effect }) => CODES[effect]))
