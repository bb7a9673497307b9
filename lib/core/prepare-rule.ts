import type { ToolClass, ToolRule } from '../api/gen/types.ts'
import type { CallRule, Remit, RemitRule } from '../api/remit.ts'
import { type Classify, classifier } from './class.ts'
import { compileConstraint, type Evaluate } from './constraint.ts'
import { parseDuration } from './duration.ts'
import { type Tracker, tracker } from './history/tracker.ts'
import { compileMatch, fitsClass, type Matcher, type ToolClasses } from './match.ts'
import { parsePath, type Step } from './path.ts'
import type { Asked, Check } from './rule/check.ts'
import { prepareEvidence } from './rule/evidence.ts'
import { prepareFields } from './rule/fields.ts'
import { prepareLimit } from './rule/limit.ts'
import { type PreparedObject, prepareObject } from './rule/object.ts'
import type { Json } from './strict.ts'

/** How long a taint lasts where the rule does not say. */
export const DEFAULT_FOR = '24h'

/** A rule ready to be asked. */
export interface PreparedRule {
  policy: string
  name: string
  mode: 'Enforce' | 'Observe'
  type: RemitRule['type']
  match: Matcher
  /** Of a rule that may give. */
  effect?: 'Allow' | 'Draft' | 'Ask' | 'Deny'
  class?: ToolClass
  otherwise?: 'Ask' | 'Draft' | 'Deny'
  /** `where` of a tool rule, `unless` of the others. */
  constraints: Evaluate[]
  fields?: (args: Json) => Check
  object?: PreparedObject
  limits: ((asked: Asked) => Check)[]
  evidence: ((asked: Asked) => Check)[]
  /** Of a taint rule: the calls that taint. */
  after?: Tracker
  trackers: Tracker[]
}

/** What of its remit a rule is prepared with. */
export interface RuleContext {
  remit: Remit
  ruleClass: Classify
  /** Paths that are redacted anywhere. */
  hidden: { arguments: Step[][]; results: Step[][] }
}

export const ruleContext = (remit: Remit): RuleContext => ({
  remit,
  ruleClass: classifier(remit),
  hidden: { arguments: redactedPaths(remit, 'arguments'), results: redactedPaths(remit, 'results') },
})

/** Whether a rule speaks of tools of these classes. */
export const fitsRule = (rule: PreparedRule, classes: ToolClasses): boolean =>
  fitsClass(rule.match, classes, rule.type !== 'tool' || rule.effect === 'Deny')

/** Steps of every path of arguments or results that is redacted anywhere. */
const redactedPaths = ({ redactions = [] }: Remit, of: 'arguments' | 'results'): Step[][] =>
  redactions.flatMap((redaction) => (redaction[of] ?? []).map((arg) => parsePath(arg) ?? []))

const sameStep = (a: Step, b: Step): boolean => ('each' in a ? 'each' in b : 'key' in b && a.key === b.key)

/** Whether a path and a redacted one lie on one line: then a sentence about it could show what must not be shown. */
export const isWithheld = (arg: string | undefined, redacted: Step[][]): boolean => {
  const steps = parsePath(arg ?? '') ?? []
  return redacted.some((path) =>
    path.slice(0, steps.length).every((step, index) => sameStep(step, steps[index] as Step)),
  )
}

export function prepareRule(rule: CallRule, context: RuleContext): PreparedRule {
  const { policy, mode, name } = rule
  const match = compileMatch(rule.match)
  const constraints = (list: ToolRule['where'], quantifier: 'every' | 'some' = 'every') =>
    (list ?? []).map((each) => compileConstraint(each, quantifier, isWithheld(each.arg, context.hidden.arguments)))
  const common = { policy, name, mode, match, limits: [], evidence: [], trackers: [] }
  if (rule.type === 'tool') return prepareToolRule(rule, context, common, constraints)
  if (rule.type !== 'taint') return { ...common, type: rule.type, constraints: constraints(rule.unless) }
  const taints = compileMatch(rule.after)
  const after = tracker(
    { what: 'taint', after: rule.after },
    {
      what: 'taint',
      per: parseDuration(rule.for ?? DEFAULT_FOR) ?? 0,
      counts: countsOf([taints], context.ruleClass),
      reads: taints.everythingOf,
    },
  )
  return { ...common, type: 'taint', constraints: constraints(rule.unless), after, trackers: [after] }
}

function prepareToolRule(
  rule: Extract<CallRule, { type: 'tool' }>,
  context: RuleContext,
  common: Omit<PreparedRule, 'type' | 'constraints'>,
  constraints: (list: ToolRule['where'], quantifier: 'every' | 'some') => Evaluate[],
): PreparedRule {
  const { effect = 'Deny', where, otherwise, fields, object, class: cls } = rule
  const limits = (rule.limits ?? []).map((limit) => {
    const { counts, about } = scope(limit.scope, rule, context, common.match)
    return prepareLimit(limit, counts, about)
  })
  const evidence = (rule.evidence ?? []).map(prepareEvidence)
  return {
    ...common,
    type: 'tool',
    effect,
    ...(cls === undefined ? {} : { class: cls }),
    ...(otherwise === undefined ? {} : { otherwise }),
    constraints: constraints(where, effect === 'Deny' ? 'some' : 'every'),
    ...(fields === undefined ? {} : { fields: prepareFields(fields) }),
    ...(object === undefined
      ? {}
      : { object: prepareObject(object, (arg) => isWithheld(arg, context.hidden.results)) }),
    limits: limits.map(({ check }) => check),
    evidence: evidence.map(({ check }) => check),
    trackers: [...limits, ...evidence].map((each) => each.tracker),
  }
}

/** The calls that one of the matchers fits; of a call's class in doubt it counts. */
const countsOf =
  (matchers: Matcher[], ruleClass: Classify): Tracker['counts'] =>
  (server, tool, cls) =>
    matchers.some(
      (match) =>
        match.names(server, tool) &&
        (match.classes === undefined || fitsClass(match, { byRules: ruleClass(server, tool), cls }, true)),
    )

/** Which calls a limit counts, and what tells them from others. */
function scope(
  name: 'Rule' | 'Tool' | 'Policy' | 'Agent' | undefined,
  rule: Extract<CallRule, { type: 'tool' }>,
  { remit, ruleClass }: RuleContext,
  match: Matcher,
): { counts: Tracker['counts']; about: object } {
  if (name === 'Agent') return { counts: () => true, about: {} }
  if (name === 'Policy') {
    const giving = remit.rules.filter(
      (other) => other.type === 'tool' && other.policy === rule.policy && other.effect !== 'Deny',
    )
    const matchers = giving.map((other) => compileMatch(other.match))
    return {
      counts: countsOf(matchers, ruleClass),
      about: { matches: giving.map((other) => other.match) },
    }
  }
  return {
    counts: countsOf([match], ruleClass),
    about: { match: rule.match },
  }
}
