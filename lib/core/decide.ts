import type { ToolClass } from '../api/gen/types.ts'
import type { DecisionRecord } from '../api/receipt.ts'
import { type Assessment, assessmentOf, type Weighed } from './assessment.ts'
import { annotatedClass, withAnnotations } from './class.ts'
import { isToolName } from './glob.ts'
import { factsAt } from './history/facts.ts'
import type { History } from './history/history.ts'
import { settle } from './outcome.ts'
import { type PreparedRemit, pathsToRecord, rulesFor } from './prepare.ts'
import { fitsRule, type PreparedRule } from './prepare-rule.ts'
import { shown } from './quote.ts'
import type { ObjectNeed } from './rule/object.ts'
import { fallen, refuse } from './standing.ts'
import type { ToolCall } from './tool-call.ts'
import { examine, type Finding, type Question } from './verdict.ts'

export type { Assessment } from './assessment.ts'
export type { ReadObject } from './rule/check.ts'
export type { ToolCall } from './tool-call.ts'

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
  const weighed = weigh(prepared, call, history, now, steady)
  const { cls } = weighed
  const record = factsAt(call.arguments, pathsToRecord(prepared, call.server, call.tool, cls))
  return {
    ...assessmentOf(weighed),
    ...(cls === undefined ? {} : { class: cls }),
    ...(record === undefined ? {} : { record }),
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

type WeighedCall = Weighed & { cls?: ToolClass | undefined }

function weigh(prepared: PreparedRemit, call: ToolCall, history: History, now: number, steady: number): WeighedCall {
  const bare = (decision: DecisionRecord): WeighedCall => ({ decision, rules: [], findings: [] })
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
