import type { DecisionRecord } from '../api/receipt.ts'
import { describe } from './errors.ts'
import { isToolName } from './glob.ts'
import type { PreparedRemit, PreparedRule } from './prepare.ts'
import { shown } from './quote.ts'
import { onCall } from './rotate.ts'
import { fallen, refuse } from './standing.ts'
import type { Json } from './strict.ts'
import { judge, type Verdict } from './verdict.ts'

export interface ToolCall {
  server: string
  tool: string
  /** As parsed by parseStrict; nothing is coerced. */
  arguments: Json
}

/** Facts computed from completed receipts. Empty as long as no enforced rule needs any. */
export type History = Record<string, never>

/**
 * Decides one tool call: pure, total, and independent of the order of rules and policies.
 * Suspension and expiry first; then the strongest of what the rules say: invariant, an error in any matching rule,
 * Deny, Ask, Allow, and without any of these Deny. Guards and other restrictions never give: where nothing gives, an
 * Ask of a guard changes nothing. Rules of Observe policies count only for `observed`, except that an agent all of
 * whose policies observe (`remit.observing`) is forwarded where it would else be denied for want of a rule.
 *
 * @param now milliseconds since the epoch
 */
export function decide(prepared: PreparedRemit, call: ToolCall, _history: History, now: number): DecisionRecord {
  const { remit } = prepared
  const ended = fallen(prepared, now)
  if (ended) return ended
  if (!prepared.servers.has(call.server)) return refuse('UnknownServer', { server: shown(call.server) })
  if (!isToolName(call.tool))
    return refuse('MalformedRequest', { detail: 'the tool name has characters outside A-Z a-z 0-9 _ . / -' })

  const matching = prepared.rules.filter((rule) => rule.matches(call.server, call.tool))
  const enforced = matching.filter((rule) => rule.mode === 'Enforce')
  const observing = remit.observing === true
  const decided = outcome(prepared, call, enforced, observing ? 'Allow' : 'Deny', now)
  if (!observing && enforced.length === matching.length) return decided
  const { effect, rule, policy, reason } = outcome(prepared, call, matching, 'Deny', now)
  if (effect === decided.effect && (rule === undefined || decided.rule !== undefined)) return decided
  return { ...decided, observed: { effect, ...(rule === undefined ? {} : { rule, policy }), reason } }
}

function outcome(
  prepared: PreparedRemit,
  call: ToolCall,
  rules: PreparedRule[],
  byDefault: 'Allow' | 'Deny',
  now: number,
): DecisionRecord {
  const verdict = judge(rules, call, byDefault)
  const tool = `${call.server}/${call.tool}`
  if (verdict === undefined) {
    if (byDefault === 'Allow')
      return { effect: 'Allow', reason: `${tool} is forwarded: the policies of this agent only observe.` }
    const values = { server: call.server, tool: call.tool }
    return { effect: 'Deny', code: 'NoRuleAllows', reason: describe('NoRuleAllows', values).message }
  }
  const from = { rule: verdict.rule.name, policy: verdict.rule.policy }
  if (verdict.effect === 'Allow') return { effect: 'Allow', ...from, reason: `${verdict.rule.name} allows ${tool}.` }
  if (verdict.effect === 'Ask') {
    const waiting = describe('WaitingForPerson', { who: whoIsOnCall(prepared, now) }).message
    return { effect: 'Ask', code: 'WaitingForPerson', ...from, reason: `${verdict.detail}. ${waiting}` }
  }
  return { effect: 'Deny', code: verdict.code, ...from, reason: denial(verdict, call) }
}

function denial(verdict: Extract<Verdict, { effect: 'Deny' }>, call: ToolCall): string {
  const { name: rule, policy } = verdict.rule
  return describe(verdict.code, { rule, policy, server: call.server, tool: call.tool, detail: verdict.detail }).message
}

function whoIsOnCall(prepared: PreparedRemit, now: number): string {
  const { group, spec } = prepared.remit.owner
  return onCall(spec, now)?.names.join(' and ') ?? `the owner group ${group}, which has nobody on call`
}
