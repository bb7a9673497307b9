import type { Pin, PolicySpec, RestrictingRule, TaintRule, ToolClass, ToolRule } from '../api/gen/types.ts'
import type { Remit, RemitRule } from '../api/remit.ts'
import { compileConstraint, type Evaluate } from './constraint.ts'
import { parseDuration } from './duration.ts'
import { UserError } from './errors.ts'
import type { FactPath } from './history/facts.ts'
import { type Tracker, tracker } from './history/tracker.ts'
import { compileMatch, fitsClass, type Matcher } from './match.ts'
import { parsePath, type Step } from './path.ts'
import { checkPolicy } from './policy-check.ts'
import type { Asked, Check } from './rule/check.ts'
import { prepareEvidence } from './rule/evidence.ts'
import { prepareFields } from './rule/fields.ts'
import { prepareLimit } from './rule/limit.ts'
import { type PreparedObject, prepareObject } from './rule/object.ts'
import { compileSchema, type ValidateArguments } from './schema.ts'
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
  /** Of a tool rule. */
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

/** A remit compiled once, for decide() and visible(). Treat it as immutable. */
export interface PreparedRemit {
  remit: Remit
  servers: Set<string>
  /** Sorted, so that no outcome depends on the order of rules in the remit. */
  rules: PreparedRule[]
  /** Those whose names match a tool, found before. */
  byTool: Map<string, PreparedRule[]>
  /** What its rules look at in the past, each once. */
  trackers: Tracker[]
  pins: PreparedPin[]
  /** Whether what servers say of their tools can change a decision. */
  usesAnnotations: boolean
  /** Milliseconds since the epoch; NaN, which denies, when the remit's text is not a time. */
  expiresAt?: number
  /** What of the remit this version does not know; it denies every call. */
  unknown?: string
}

export type PreparedPin = Pin & { policy: string; mode: 'Enforce' | 'Observe'; validate?: ValidateArguments }

/**
 * Compiles a remit. Throws UserError PolicyInvalid or PolicyUnsupported when it has a rule this version cannot enforce
 * to the letter (one written by a newer operator, say): such a remit must not come into force.
 */
export function prepare(remit: Remit): PreparedRemit {
  checkRules(remit)
  const withheld = redactedPaths(remit)
  const rules = remit.rules.map((rule) => prepareRule(rule, remit, withheld)).sort(compareRules)
  const trackers = new Map(rules.flatMap((rule) => rule.trackers).map((each) => [each.key, each]))
  return {
    remit,
    servers: new Set(remit.servers.map((server) => server.name)),
    rules,
    byTool: new Map(),
    trackers: [...trackers.values()],
    pins: (remit.pins ?? []).map((pin) => ({
      ...pin,
      ...(pin.definition === undefined ? {} : { validate: compileSchema(pin.definition) }),
    })),
    usesAnnotations: rules.some((rule) => rule.class !== undefined || rule.match.classes !== undefined),
    ...(remit.expiresAt === undefined ? {} : { expiresAt: Date.parse(remit.expiresAt) }),
  }
}

/**
 * As {@link prepare}, for a remit that is signed and therefore has to come into force, whoever wrote it: one that this
 * version cannot enforce to the letter gives nothing, because keeping the one before would undo what it takes away.
 */
export function prepareSigned(remit: Remit): PreparedRemit {
  try {
    return prepare(remit)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { ...prepare({ ...remit, rules: [], pins: [], redactions: [], breakers: [] }), unknown: error.message }
  }
}

const MAX_TOOLS_KNOWN = 4_096

/** The rules whose servers and tools match; which of them fit its class is not looked at. */
export function rulesFor(prepared: PreparedRemit, server: string, tool: string): PreparedRule[] {
  const key = `${server} ${tool}`
  const known = prepared.byTool.get(key)
  if (known !== undefined) return known
  const rules = prepared.rules.filter((rule) => rule.match.names(server, tool))
  // Names come from agents, who could make up any number of them.
  if (prepared.byTool.size >= MAX_TOOLS_KNOWN) prepared.byTool.clear()
  prepared.byTool.set(key, rules)
  return rules
}

/** The paths of a call's arguments that something will want to know later. */
export function pathsToRecord(
  prepared: PreparedRemit,
  server: string,
  tool: string,
  cls: ToolClass | undefined,
): FactPath[] {
  if (prepared.trackers.length === 0) return []
  const paths = prepared.trackers
    .filter(({ paths, counts }) => paths.length > 0 && counts(server, tool, cls))
    .flatMap((each) => each.paths)
  return [...new Map(paths.map((path) => [path.arg, path])).values()]
}

const RANK: Record<RemitRule['type'], number> = { invariant: 0, tool: 1, guard: 2, taint: 3 }
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const compareRules = (a: PreparedRule, b: PreparedRule): number =>
  RANK[a.type] - RANK[b.type] || compareText(a.policy, b.policy) || compareText(a.name, b.name)

/** Steps of every path of arguments that is redacted anywhere. */
const redactedPaths = ({ redactions = [] }: Remit): Step[][] =>
  redactions.flatMap((redaction) => (redaction.arguments ?? []).map((arg) => parsePath(arg) ?? []))

const sameStep = (a: Step, b: Step): boolean => ('each' in a ? 'each' in b : 'key' in b && a.key === b.key)

/** Whether a path and a redacted one lie on one line: then a sentence about it could show what must not be shown. */
const isWithheld = (arg: string | undefined, redacted: Step[][]): boolean => {
  const steps = parsePath(arg ?? '') ?? []
  return redacted.some((path) =>
    path.slice(0, steps.length).every((step, index) => sameStep(step, steps[index] as Step)),
  )
}

function prepareRule(rule: RemitRule, remit: Remit, redacted: Step[][]): PreparedRule {
  const { policy, mode, name } = rule
  const match = compileMatch(rule.match)
  const constraints = (list: ToolRule['where'], quantifier: 'every' | 'some' = 'every') =>
    (list ?? []).map((each) => compileConstraint(each, quantifier, isWithheld(each.arg, redacted)))
  const common = { policy, name, mode, match, limits: [], evidence: [], trackers: [] }
  if (rule.type === 'tool') return prepareToolRule(rule, remit, common, constraints)
  if (rule.type !== 'taint') return { ...common, type: rule.type, constraints: constraints(rule.unless) }
  const taints = compileMatch(rule.after)
  const after = tracker(
    { what: 'taint', after: rule.after },
    {
      what: 'taint',
      per: parseDuration(rule.for ?? DEFAULT_FOR) ?? 0,
      counts: (server, tool, cls) => taints.names(server, tool) && fitsClass(taints, cls, true),
    },
  )
  return { ...common, type: 'taint', constraints: constraints(rule.unless), after, trackers: [after] }
}

function prepareToolRule(
  rule: Extract<RemitRule, { type: 'tool' }>,
  remit: Remit,
  common: Omit<PreparedRule, 'type' | 'constraints'>,
  constraints: (list: ToolRule['where'], quantifier: 'every' | 'some') => Evaluate[],
): PreparedRule {
  const { effect = 'Deny', where, otherwise, fields, object, class: cls } = rule
  const limits = (rule.limits ?? []).map((limit) => {
    const { counts, about } = scope(limit.scope, rule, remit, common.match)
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
    ...(object === undefined ? {} : { object: prepareObject(object) }),
    limits: limits.map(({ check }) => check),
    evidence: evidence.map(({ check }) => check),
    trackers: [...limits, ...evidence].map((each) => each.tracker),
  }
}

/** Which calls a limit counts, and what tells them from others. */
function scope(
  name: 'Rule' | 'Tool' | 'Policy' | 'Agent' | undefined,
  rule: Extract<RemitRule, { type: 'tool' }>,
  remit: Remit,
  match: Matcher,
): { counts: Tracker['counts']; about: object } {
  if (name === 'Agent') return { counts: () => true, about: {} }
  if (name === 'Policy') {
    const giving = remit.rules.filter(
      (other) => other.type === 'tool' && other.policy === rule.policy && other.effect !== 'Deny',
    )
    const matchers = giving.map((other) => compileMatch(other.match))
    return {
      counts: (server, tool, cls) => matchers.some((each) => each.names(server, tool) && fitsClass(each, cls, true)),
      about: { matches: giving.map((other) => other.match) },
    }
  }
  return {
    counts: (server, tool, cls) => match.names(server, tool) && fitsClass(match, cls, true),
    about: { match: rule.match },
  }
}

const LISTS = { tool: 'tools', guard: 'guards', invariant: 'invariants', taint: 'taint' } as const

/** Every rule by the same check that its policy went through: a remit may come from another version. */
function checkRules(remit: Remit): void {
  const specs = new Map<string, PolicySpec>()
  const specOf = (policy: string): PolicySpec => {
    const spec = specs.get(policy) ?? {}
    specs.set(policy, spec)
    return spec
  }
  for (const rule of remit.rules) {
    const { policy, mode, type, ...bare } = rule
    const list = LISTS[type]
    if (mode !== 'Enforce' && mode !== 'Observe') throw unsupported(`${policy}: mode ${mode}`)
    if (list === undefined) throw unsupported(`${policy}: rule type ${type}`)
    const spec = specOf(policy) as Record<string, (ToolRule | RestrictingRule | TaintRule)[]>
    spec[list] ??= []
    spec[list].push(bare as ToolRule)
  }
  for (const { policy, mode: _, ...pin } of remit.pins ?? [])
    specOf(policy).pins = [...(specOf(policy).pins ?? []), pin]
  for (const { policy, mode: _, ...redaction } of remit.redactions ?? [])
    specOf(policy).redact = [...(specOf(policy).redact ?? []), redaction]
  for (const { policy, mode: _, ...breaker } of remit.breakers ?? []) specOf(policy).breaker = breaker
  for (const [policy, spec] of specs) check(spec, policy)
}

function check(spec: PolicySpec, policy: string): void {
  const problem = checkPolicy(spec)[0]
  if (problem === undefined) return
  if (problem.code === 'PolicyUnsupported') throw unsupported(`${policy}: ${problem.field}`)
  throw new UserError(problem.code, { field: `${policy}: ${problem.field}`, detail: problem.detail, fix: problem.fix })
}
const unsupported = (field: string): UserError => new UserError('PolicyUnsupported', { field })
