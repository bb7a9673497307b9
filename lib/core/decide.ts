import type { ToolClass, ToolDefinition } from '../api/gen/types.ts'
import type { DecisionRecord, Facts } from '../api/receipt.ts'
import type { RemitRule } from '../api/remit.ts'
import { annotatedClass, withAnnotations } from './class.ts'
import { describe } from './errors.ts'
import { isToolName } from './glob.ts'
import { factsAt } from './history/facts.ts'
import { type History, isFrozen } from './history/history.ts'
import { pinProblem } from './pin.ts'
import { type PreparedRemit, pathsToRecord, rulesFor } from './prepare.ts'
import { fitsRule, type PreparedRule } from './prepare-rule.ts'
import { shown } from './quote.ts'
import { onCall } from './rotate.ts'
import type { Fact, ReadObject } from './rule/check.ts'
import type { ObjectNeed } from './rule/object.ts'
import { fallen, refuse } from './standing.ts'
import type { Json } from './strict.ts'
import { examine, type Finding, type Question, strengthOf, strongest } from './verdict.ts'

export type { ReadObject } from './rule/check.ts'

export interface ToolCall {
  server: string
  tool: string
  /** As parsed by parseStrict; nothing is coerced. */
  arguments: Json
  /** The tool as its server declares it now (an element of tools/list); 'pinned': taken to be as pinned. */
  definition?: ToolDefinition | 'pinned' | undefined
  /** What was read for it; see objectsNeeded. */
  objects?: ReadObject[] | undefined
}

/** A decision and everything it went by. */
export interface Assessment {
  decision: DecisionRecord
  /** Absent when nothing gives the tool one. */
  class?: ToolClass
  /** To be recorded with the intent; absent when nothing will want to know. */
  record?: Facts
  /** What the rules that match saw of the past. */
  facts: (Fact & { rule: string; policy: string })[]
  /** What every rule that matches says by itself, strongest first. */
  findings: {
    rule: string
    policy: string
    type: RemitRule['type']
    mode: 'Enforce' | 'Observe'
    says: 'Allow' | 'Draft' | 'Ask' | 'Deny' | 'nothing'
    detail: string
  }[]
}

/** As {@link assess}, the decision alone. */
export const decide = (
  prepared: PreparedRemit,
  call: ToolCall,
  history: History,
  now: number,
  steady: number = now,
): DecisionRecord => weigh(prepared, call, history, now, steady).decision

/**
 * Decides one tool call: pure, total, and independent of the order of rules and policies.
 * Suspension and expiry first; then the strongest of: an invariant, a frozen agent, a tool that is not as pinned, an
 * error in any matching rule, Deny, Ask, Draft, Allow, and without any of these Deny. Guards and other restrictions
 * never give: where nothing gives, an Ask of a guard changes nothing. Rules of Observe policies count only for
 * `observed`, except that an agent all of whose policies observe (`remit.observing`) is forwarded where it would else
 * be denied for want of a rule.
 *
 * @param now milliseconds since the epoch
 * @param steady the same on the clock by which the history's calls are timed, which never goes back
 */
export function assess(
  prepared: PreparedRemit,
  call: ToolCall,
  history: History,
  now: number,
  steady: number = now,
): Assessment {
  const { decision, rules, findings, cls } = weigh(prepared, call, history, now, steady)
  const record = factsAt(call.arguments, pathsToRecord(prepared, call.server, call.tool, cls))
  return {
    decision,
    ...(cls === undefined ? {} : { class: cls }),
    ...(record === undefined ? {} : { record }),
    facts: findings.flatMap(({ rule, facts }) =>
      facts.map((fact) => ({ rule: rule.name, policy: rule.policy, ...fact })),
    ),
    findings: rules
      .map((rule) => said(rule, findings))
      .sort((a, b) => b.strength - a.strength)
      .map(({ strength: _, ...rest }) => rest),
  }
}

/** What has to be read before the call can be decided: nothing, when it is denied whatever would be read. */
export function objectsNeeded(
  prepared: PreparedRemit,
  call: ToolCall,
  history: History,
  now: number,
  steady: number = now,
): ObjectNeed[] {
  const needs = rulesFor(prepared, call.server, call.tool).flatMap(({ object }) => object?.need(call.arguments) ?? [])
  const wanted = needs.filter((need): need is ObjectNeed => 'tool' in need)
  if (wanted.length === 0) return []
  const supposed = {
    ...prepared,
    rules: [],
    byTool: new Map([[`${call.server} ${call.tool}`, withoutObjects(prepared, call)]]),
  }
  return decide(supposed, call, history, now, steady).effect === 'Deny' ? [] : wanted
}

const withoutObjects = (prepared: PreparedRemit, { server, tool }: ToolCall): PreparedRule[] =>
  rulesFor(prepared, server, tool).map(({ object: _, ...rule }) => rule)

interface Weighed {
  decision: DecisionRecord
  rules: PreparedRule[]
  findings: Finding[]
  cls?: ToolClass | undefined
}

function weigh(prepared: PreparedRemit, call: ToolCall, history: History, now: number, steady: number): Weighed {
  const bare = (decision: DecisionRecord): Weighed => ({ decision, rules: [], findings: [] })
  const { server, tool } = call
  const ended = fallen(prepared, now)
  if (ended) return bare(ended)
  if (!prepared.servers.has(server)) return bare(refuse('UnknownServer', { server: shown(server) }))
  if (!isToolName(tool))
    return bare(refuse('MalformedRequest', { detail: 'the tool name has characters outside A-Z a-z 0-9 _ . / -' }))

  const named = rulesFor(prepared, server, tool)
  const annotated = call.definition === 'pinned' ? pinnedClass(prepared, call) : annotatedClass(call.definition)
  const byRules = prepared.ruleClass(server, tool)
  const cls = withAnnotations(byRules, annotated)
  const rules = named.filter((rule) => fitsRule(rule, { byRules, cls }))
  const { arguments: args, objects } = call
  const asked: Question = { server, tool, arguments: args, objects, history, steady, annotated, resolved: new Map() }
  const findings: Finding[] = []
  for (const rule of rules) {
    const finding = examine(rule, asked)
    if (finding !== undefined) findings.push(finding)
  }

  const about = { prepared, call, history, now }
  const observing = prepared.remit.observing === true
  const decided = outcome(
    about,
    findings.filter(({ rule }) => rule.mode === 'Enforce'),
    observing ? 'Allow' : 'Deny',
    true,
  )
  const all = { rules, findings, cls }
  if (!observing && prepared.remit.rules.every(({ mode }) => mode === 'Enforce')) return { ...all, decision: decided }
  const { effect, rule, policy, reason } = outcome(about, findings, 'Deny', false)
  if (effect === decided.effect && (rule === undefined || decided.rule !== undefined))
    return { ...all, decision: decided }
  const observed = { effect, ...(rule === undefined ? {} : { rule, policy }), reason }
  return { ...all, decision: { ...decided, observed } }
}

const pinnedClass = ({ pins }: PreparedRemit, { server, tool }: ToolCall): ToolClass | undefined =>
  annotatedClass(pins.find((pin) => pin.server === server && pin.tool === tool)?.definition)

interface About {
  prepared: PreparedRemit
  call: ToolCall
  history: History
  now: number
}

function outcome(
  about: About,
  findings: Finding[],
  byDefault: 'Allow' | 'Deny',
  enforcedOnly: boolean,
): DecisionRecord {
  const { call } = about
  const best = strongest(findings, byDefault)
  if (best?.strength !== 'invariant') {
    const stopped = frozen(about) ?? unlikePinned(about, enforcedOnly)
    if (stopped !== undefined) return stopped
  }
  const tool = `${call.server}/${call.tool}`
  if (best === undefined) {
    if (byDefault === 'Allow')
      return { effect: 'Allow', reason: `${tool} is forwarded: the policies of this agent only observe.` }
    return refuse('NoRuleAllows', { server: call.server, tool: call.tool })
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
      const values = { rule, policy, server: call.server, tool: call.tool, detail: best.detail }
      return {
        effect: 'Deny',
        code,
        ...from,
        reason: code === 'HistoryNotLoaded' ? best.detail : describe(code, values).message,
      }
    }
  }
}

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

const SAID = {
  invariant: 'Deny',
  error: 'Deny',
  deny: 'Deny',
  ask: 'Ask',
  draft: 'Draft',
  allow: 'Allow',
  failed: 'nothing',
} as const

function said(rule: PreparedRule, findings: Finding[]): Assessment['findings'][number] & { strength: number } {
  const { name, policy, type, mode } = rule
  const found = findings.find((finding) => finding.rule === rule)
  const silent = type === 'tool' ? 'a constraint is false' : 'it is shown not to apply'
  return {
    rule: name,
    policy,
    type,
    mode,
    says: found === undefined ? 'nothing' : SAID[found.strength],
    detail: found?.detail ?? silent,
    strength: found === undefined ? 0 : strengthOf(found),
  }
}
