import type { ToolClass } from '../api/gen/types.ts'
import type { DecisionRecord, Facts } from '../api/receipt.ts'
import type { RemitRule } from '../api/remit.ts'
import { annotatedClass, withAnnotations } from './class.ts'
import { isToolName } from './glob.ts'
import { factsAt } from './history/facts.ts'
import type { History } from './history/history.ts'
import { settle } from './outcome.ts'
import { type PreparedRemit, pathsToRecord, rulesFor } from './prepare.ts'
import { fitsRule, type PreparedRule } from './prepare-rule.ts'
import { shown } from './quote.ts'
import type { Fact } from './rule/check.ts'
import type { ObjectNeed } from './rule/object.ts'
import { fallen, refuse } from './standing.ts'
import type { ToolCall } from './tool-call.ts'
import { examine, type Finding, type Question, strengthOf } from './verdict.ts'

export type { ReadObject } from './rule/check.ts'
export type { ToolCall } from './tool-call.ts'

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
 * never give: where nothing gives, an Ask of a guard changes nothing. For rules of Observe policies see {@link settle}.
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
  const classes = { byRules, cls }
  const rules = named.filter((rule) => fitsRule(rule, classes))
  const { arguments: args, objects } = call
  const asked: Question = {
    server,
    tool,
    arguments: args,
    objects,
    history,
    steady,
    annotated,
    classes,
    resolved: new Map(),
  }
  const findings: Finding[] = []
  for (const rule of rules) {
    const finding = examine(rule, asked)
    if (finding !== undefined) findings.push(finding)
  }

  const decision = settle({ prepared, what: `${server}/${tool}`, call, history, now }, findings)
  return { decision, rules, findings, cls }
}

const pinnedClass = ({ pins }: PreparedRemit, { server, tool }: ToolCall): ToolClass | undefined =>
  annotatedClass(pins.find((pin) => pin.server === server && pin.tool === tool)?.definition)

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
