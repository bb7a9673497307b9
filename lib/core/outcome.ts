import type { DecisionRecord } from '../api/receipt.ts'
import { describe } from './errors.ts'
import { type History, isFrozen } from './history/history.ts'
import { pinProblem } from './pin.ts'
import type { PreparedRemit } from './prepare.ts'
import { onCall } from './rotate.ts'
import { refuse } from './standing.ts'
import type { ToolCall } from './tool-call.ts'
import { type Finding, strongest } from './verdict.ts'

/** What is decided, and by what. */
export interface About {
  prepared: PreparedRemit
  /** As sentences name it: "billing/refund". */
  what: string
  /** Of a tool: pins speak of nothing else. */
  call?: ToolCall
  history: History
  now: number
}

/**
 * The decision that the findings of all rules come to. Rules of Observe policies count only for `observed`, except that
 * an agent all of whose policies observe is forwarded where it would else be denied for want of a rule.
 */
export function settle(about: About, findings: Finding[]): DecisionRecord {
  const { remit } = about.prepared
  const observing = remit.observing === true
  const enforced = findings.filter(({ rule }) => rule.mode === 'Enforce')
  const decided = outcome(about, enforced, observing ? 'Allow' : 'Deny', true)
  if (!observing && remit.rules.every(({ mode }) => mode === 'Enforce')) return decided
  const { effect, rule, policy, reason } = outcome(about, findings, 'Deny', false)
  if (effect === decided.effect && (rule === undefined || decided.rule !== undefined)) return decided
  return { ...decided, observed: { effect, ...(rule === undefined ? {} : { rule, policy }), reason } }
}

/** What the findings of rules come to, with what stands above rules: a freeze, and tools that are not as pinned. */
function outcome(
  about: About,
  findings: Finding[],
  byDefault: 'Allow' | 'Deny',
  enforcedOnly: boolean,
): DecisionRecord {
  const { what } = about
  const best = strongest(findings, byDefault)
  if (best?.strength !== 'invariant') {
    const stopped = frozen(about) ?? unlikePinned(about, enforcedOnly)
    if (stopped !== undefined) return stopped
  }
  if (best === undefined) {
    if (byDefault === 'Allow') return { effect: 'Allow', reason: passes(about) }
    return refuse('NoRuleAllows', { what })
  }
  const { name: rule, policy } = best.rule
  const from = { rule, policy }
  switch (best.strength) {
    case 'allow':
      return { effect: 'Allow', ...from, reason: `${best.detail}.` }
    case 'draft':
      return {
        effect: 'Draft',
        code: 'DraftOnly',
        ...from,
        reason: describe('DraftOnly', best as { detail: string }).message,
      }
    case 'ask': {
      const waiting = describe('WaitingForPerson', { who: whoIsOnCall(about) }).message
      return { effect: 'Ask', code: 'WaitingForPerson', ...from, reason: `${best.detail}. ${waiting}` }
    }
    default: {
      const code = best.code ?? 'NoRuleAllows'
      const values = { rule, policy, what, detail: best.detail }
      return {
        effect: 'Deny',
        code,
        ...from,
        reason: code === 'HistoryNotLoaded' ? best.detail : describe(code, values).message,
      }
    }
  }
}

const passes = ({ what, call }: About): string =>
  call === undefined
    ? `The policies of this agent only observe, so ${what} passes.`
    : `${what} is forwarded: the policies of this agent only observe.`

/** The breaker of a policy has opened, or whether one has is not known yet. */
function frozen({ prepared, history, now }: About): DecisionRecord | undefined {
  if (history.frozen !== undefined && isFrozen(history, now)) {
    const { at, detail, policy } = history.frozen
    const values = { at: new Date(at).toISOString(), detail, agent: prepared.remit.agent.name }
    return { ...refuse('AgentFrozen', values), rule: 'breaker', policy }
  }
  const [breaker] = history.breakers
  if (breaker === undefined || history.loaded) return undefined
  return {
    ...refuse('HistoryNotLoaded', { rule: `the breaker of ${breaker.policy}` }),
    rule: 'breaker',
    policy: breaker.policy,
  }
}

function unlikePinned({ prepared, call }: About, enforcedOnly: boolean): DecisionRecord | undefined {
  if (call === undefined) return undefined
  const { server, tool, definition } = call
  const pins = prepared.pins.filter((pin) => pin.server === server && (!enforcedOnly || pin.mode === 'Enforce'))
  const problem = pinProblem(pins, tool, definition)
  if (problem !== undefined) {
    const { code, policy, detail } = problem
    return { ...refuse(code, { server, tool, policy, detail }), policy }
  }
  for (const pin of pins) {
    const invalid = pin.tool === tool ? pin.validate?.(call.arguments) : undefined
    if (invalid !== undefined)
      return { ...refuse('ArgumentsInvalid', { server, tool, detail: invalid }), policy: pin.policy }
  }
  return undefined
}

function whoIsOnCall({ prepared, now }: About): string {
  const { group, spec } = prepared.remit.owner
  return onCall(spec, now)?.names.join(' and ') ?? `the owner group ${group}, which has nobody on call`
}
