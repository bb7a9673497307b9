import type { Pin, PolicySpec, ToolClass } from '../api/gen/types.ts'
import { isCallRule, type Remit, type RemitRule } from '../api/remit.ts'
import type { Classify } from './class.ts'
import { compareText } from './compare-text.ts'
import { UserError } from './errors.ts'
import type { FactPath } from './history/facts.ts'
import type { Tracker } from './history/tracker.ts'
import { checkPolicy } from './policy-check.ts'
import { type PreparedOther, prepareOther } from './prepare-other.ts'
import { type PreparedRule, prepareRule, ruleContext } from './prepare-rule.ts'
import { compileSchema, type ValidateArguments } from './schema.ts'

/** A remit compiled once, for decide(), decideOther() and what is listed. Treat it as immutable. */
export interface PreparedRemit {
  remit: Remit
  servers: Set<string>
  /** Rules about calls of tools; sorted, so that no outcome depends on the order of rules in the remit. */
  rules: PreparedRule[]
  /** Rules about resources, prompts and what servers ask; sorted alike. */
  others: PreparedOther[]
  /** Those whose names match a tool, found before. */
  byTool: Map<string, PreparedRule[]>
  /** The class that its rules give a tool. */
  ruleClass: Classify
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
  const context = ruleContext(remit)
  const rules = remit.rules
    .filter(isCallRule)
    .map((rule) => prepareRule(rule, context))
    .sort(compareRules)
  const others = remit.rules
    .filter((rule) => !isCallRule(rule))
    .map((rule) => prepareOther(rule, context))
    .sort(compareRules)
  const trackers = new Map(rules.flatMap((rule) => rule.trackers).map((each) => [each.key, each]))
  return {
    remit,
    servers: new Set(remit.servers.map((server) => server.name)),
    rules,
    others,
    byTool: new Map(),
    ruleClass: context.ruleClass,
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

const RANK: Record<RemitRule['type'], number> = {
  invariant: 0,
  tool: 1,
  guard: 2,
  taint: 3,
  resource: 4,
  prompt: 5,
  request: 6,
}
const compareRules = (a: PreparedRule, b: PreparedRule): number =>
  RANK[a.type] - RANK[b.type] || compareText(a.policy, b.policy) || compareText(a.name, b.name)

const LISTS: Record<RemitRule['type'], keyof PolicySpec> = {
  tool: 'tools',
  guard: 'guards',
  invariant: 'invariants',
  taint: 'taint',
  resource: 'resources',
  prompt: 'prompts',
  request: 'requests',
}

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
    const list: string | undefined = LISTS[type]
    if (mode !== 'Enforce' && mode !== 'Observe') throw unsupported(`${policy}: mode ${mode}`)
    if (list === undefined) throw unsupported(`${policy}: rule type ${type}`)
    const spec = specOf(policy) as Record<string, object[]>
    spec[list] ??= []
    spec[list].push(bare)
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
