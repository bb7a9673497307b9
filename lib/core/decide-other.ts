import type { DecisionRecord } from '../api/receipt.ts'
import { questionOf, rulesAbout, unfit, whatOf } from './ask-other.ts'
import { type Assessment, assessmentOf, type Weighed } from './assessment.ts'
import type { Truth } from './constraint.ts'
import { type History, newHistory } from './history/history.ts'
import type { OtherCall, RequestCall } from './other-call.ts'
import { settle } from './outcome.ts'
import type { PreparedRemit } from './prepare.ts'
import type { PreparedOther } from './prepare-other.ts'
import type { PreparedRule } from './prepare-rule.ts'
import { fallen } from './standing.ts'
import type { Json } from './strict.ts'
import { examine, type Finding, type Question } from './verdict.ts'

export { offered, offersAny } from './offered.ts'
export type { OtherCall } from './other-call.ts'

/** As {@link assessOther}, the decision alone. */
export const decideOther = (
  prepared: PreparedRemit,
  call: OtherCall,
  history: History,
  now: number,
  steady: number = now,
): DecisionRecord => weigh(prepared, call, history, now, steady).decision

/**
 * Decides what is neither a call of a tool nor of a model, as `decide` does calls: pure, total, independent of the order
 * of rules. Guards, invariants and taint rules that name servers alone are about all that the agent asks of these, and
 * such invariants about what these ask of the agent as well.
 *
 * @param now milliseconds since the epoch
 * @param steady the same on the clock by which the history's calls are timed, which never goes back
 */
export const assessOther = (
  prepared: PreparedRemit,
  call: OtherCall,
  history: History,
  now: number,
  steady: number = now,
): Assessment => assessmentOf(weigh(prepared, call, history, now, steady))

/**
 * Whether the agent's answer to a server's request may leave; effect Allow or Deny. The rule that lets it leave is one
 * that allows the request. No sentence shows a value of the answer: the server may get to read it.
 */
export const decideAnswer = (prepared: PreparedRemit, call: RequestCall, answer: Json): DecisionRecord =>
  weighAnswer(prepared, call, answer).decision

/** As {@link decideAnswer}, with what every rule says. */
export const assessAnswer = (prepared: PreparedRemit, call: RequestCall, answer: Json): Assessment =>
  assessmentOf(weighAnswer(prepared, call, answer))

const bare = (decision: DecisionRecord): Weighed => ({ decision, rules: [], findings: [] })

function weigh(prepared: PreparedRemit, call: OtherCall, history: History, now: number, steady: number): Weighed {
  const stopped = fallen(prepared, now) ?? unfit(prepared, call)
  if (stopped !== undefined) return bare(stopped)
  const what = whatOf(call)
  const asked = questionOf(call, what, history, steady)
  const rules = rulesAbout(prepared, call)
  const findings = rules.flatMap((rule) => examine(rule, asked) ?? [])
  return { decision: settle({ prepared, what, history, now }, findings), rules, findings }
}

function weighAnswer(prepared: PreparedRemit, call: RequestCall, answer: Json): Weighed {
  // What time and past have to say was heard when the request itself was decided.
  const now = Number.NEGATIVE_INFINITY
  const stopped = fallen(prepared, now) ?? unfit(prepared, call)
  if (stopped !== undefined) return bare(stopped)
  const history: History = { ...newHistory(prepared), loaded: true, breakers: [] }
  const what = `the answer to ${whatOf(call)}`
  const asked = questionOf(call, what, history, now)
  const given: Question = { ...asked, arguments: answer, resolved: new Map() }
  const rules = rulesAbout(prepared, call)
  const findings = rules.flatMap((rule) => {
    const finding = examine(rule, asked)
    return finding === undefined ? [] : [answered(rule, finding, given)]
  })
  return { decision: settle({ prepared, what, history, now }, findings), rules, findings }
}

/** What a rule that allows the request says to the answer. */
function answered(rule: PreparedOther | PreparedRule, finding: Finding, given: Question): Finding {
  if (finding.strength !== 'allow' || !('answer' in rule)) return finding
  const misses: Exclude<Truth, { is: 'true' | 'error' }>[] = []
  for (const evaluate of rule.answer) {
    const truth = evaluate(given.arguments, given)
    if (truth.is === 'error')
      return { ...finding, gives: false, strength: 'error', code: 'ConstraintError', detail: truth.what }
    if (truth.is !== 'true') misses.push(truth)
  }
  const [miss] = misses
  if (miss === undefined) return finding
  const detail = `${miss.what}; ${rule.name} allows ${miss.wants}`
  return { ...finding, gives: false, strength: 'failed', code: 'ConstraintFailed', detail, misses: misses.length }
}
