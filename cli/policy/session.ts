import type { Past } from '../../lib/api/ledger.ts'
import type { DecisionRecord } from '../../lib/api/receipt.ts'
import type { Remit } from '../../lib/api/remit.ts'
import { type Assessment, assess } from '../../lib/core/decide.ts'
import { assessAnswer, assessOther } from '../../lib/core/decide-other.ts'
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
    const now = at
    const clock = steady
    const ask: Ask = (track) => assessLine(track, call, options.tools, now, clock)
    const assessment = ask(track)
    const { decision } = assessment
    const decided: Decided = { call, at, decision, assessment }
    options.each?.(ask, decided)
    const id = String(call.line)
    const begun = begunBy(call, assessment, id, steady)
    const opened = begun && happened(begun)
    const after =
      begun && decision.effect === 'Allow'
        ? happened({ kind: 'result', id, at: steady, outcome: call.outcome })
        : undefined
    const freeze = opened ?? after
    yield freeze === undefined ? decided : { ...decided, opened: freeze }
  }
}

/** What a track's policies say to a line: of a request with an answer, to the answer if it got so far. */
function assessLine(
  { prepared, history }: Track,
  { what, request }: CallLine,
  tools: Tools | undefined,
  now: number,
  steady: number,
): Assessment {
  const { answer, ...given } = request as NonNullable<CallLine['request']>
  if (what.type === 'tool') {
    const { server, tool } = what
    const call = { server, tool, ...given, definition: definitionOf(tools, server, tool) }
    return assess(prepared, call, history, now, steady)
  }
  const call = { ...what, arguments: given.arguments }
  const assessment = assessOther(prepared, call, history, now, steady)
  if (answer === undefined || call.type !== 'request' || assessment.decision.effect !== 'Allow') return assessment
  return assessAnswer(prepared, { ...call, type: call.type }, answer)
}

/** What the agent's history gets to know of a line: nothing of what a server asked. */
function begunBy(
  { what }: CallLine,
  { decision, ...assessment }: Assessment,
  id: string,
  at: number,
): Past | undefined {
  const { effect } = decision
  if (what.type === 'request') return undefined
  if (what.type !== 'tool') return { kind: 'read', id, at, server: what.server, effect }
  const { server, tool } = what
  return { kind: 'intent', id, at, server, tool, effect, class: assessment.class, facts: assessment.record }
}

const CODES = { Allow: 0, Draft: 0, Ask: 3, Deny: 4 } as const
/** The exit code of the strongest: 0 allowed or drafted, 3 waiting, 4 denied. */
export const exitCodeOf = (decisions: DecisionRecord[]): number =>
  Math.max(0, ...decisions.map(({ effect }) => CODES[effect]))
