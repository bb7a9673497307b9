import type { Match, PolicySpec, RestrictingRule, ToolRule } from '../api/gen/types.ts'
import type { Remit, RemitRule } from '../api/remit.ts'
import { compileConstraint, type Evaluate } from './constraint.ts'
import { UserError } from './errors.ts'
import { glob } from './glob.ts'
import { checkPolicy } from './policy-check.ts'

/** A rule ready to be asked. */
export interface PreparedRule {
  policy: string
  name: string
  mode: 'Enforce' | 'Observe'
  type: 'tool' | 'guard' | 'invariant'
  /** Of a tool rule. */
  effect?: 'Allow' | 'Ask' | 'Deny'
  otherwise?: 'Ask' | 'Deny'
  matches: (server: string, tool: string) => boolean
  /** `where` of a tool rule, `unless` of a guard or invariant. */
  constraints: Evaluate[]
}

/** A remit compiled once, for decide() and visible(). Treat it as immutable. */
export interface PreparedRemit {
  remit: Remit
  servers: Set<string>
  /** Sorted, so that no outcome depends on the order of rules in the remit. */
  rules: PreparedRule[]
  /** Milliseconds since the epoch; NaN, which denies, when the remit's text is not a time. */
  expiresAt?: number
  /** What of the remit this version does not know; it denies every call. */
  unknown?: string
}

/**
 * Compiles a remit. Throws UserError PolicyInvalid or PolicyUnsupported when it has a rule this version cannot enforce
 * to the letter (one written by a newer operator, say): such a remit must not come into force.
 */
export function prepare(remit: Remit): PreparedRemit {
  return {
    remit,
    servers: new Set(remit.servers.map((server) => server.name)),
    rules: remit.rules.map(prepareRule).sort(compareRules),
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
    return { ...prepare({ ...remit, rules: [] }), unknown: error.message }
  }
}

const RANK = { invariant: 0, tool: 1, guard: 2 }
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const compareRules = (a: PreparedRule, b: PreparedRule): number =>
  RANK[a.type] - RANK[b.type] || compareText(a.policy, b.policy) || compareText(a.name, b.name)

function prepareRule(rule: RemitRule): PreparedRule {
  const { policy, mode, type, ...bare } = rule
  if (mode !== 'Enforce' && mode !== 'Observe') throw unsupported(`${policy}: mode ${mode}`)
  const common = () => ({ policy, name: rule.name, mode, matches: matcher(rule.match) })
  if (type === 'tool') {
    const { effect, where, otherwise } = bare as ToolRule
    check({ tools: [bare as ToolRule] }, policy)
    const quantifier = effect === 'Deny' ? 'some' : 'every'
    return {
      ...common(),
      type,
      effect: effect as 'Allow' | 'Ask' | 'Deny',
      ...(otherwise === undefined ? {} : { otherwise: otherwise as 'Ask' | 'Deny' }),
      constraints: (where ?? []).map((constraint) => compileConstraint(constraint, quantifier, false)),
    }
  }
  if (type !== 'guard' && type !== 'invariant') throw unsupported(`${policy}: rule type ${type}`)
  check({ [type === 'guard' ? 'guards' : 'invariants']: [bare as RestrictingRule] }, policy)
  const constraints = (rule.unless ?? []).map((constraint) => compileConstraint(constraint, 'every', false))
  return { ...common(), type, constraints }
}

function check(spec: PolicySpec, policy: string): void {
  const problem = checkPolicy(spec)[0]
  if (problem === undefined) return
  if (problem.code === 'PolicyUnsupported') throw unsupported(`${policy}: ${problem.field}`)
  throw new UserError(problem.code, { field: `${policy}: ${problem.field}`, detail: problem.detail, fix: problem.fix })
}
const unsupported = (field: string): UserError => new UserError('PolicyUnsupported', { field })

function matcher(match: Match): PreparedRule['matches'] {
  const servers = match.servers?.map(glob)
  const tools = match.tools?.map(glob)
  return (server, tool) =>
    (servers === undefined || servers.some((fits) => fits(server))) &&
    (tools === undefined || tools.some((fits) => fits(tool)))
}
