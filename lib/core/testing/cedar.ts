import type { Constraint, Match, PolicySpec, Scalar } from '../../api/gen/types.ts'

/**
 * A policy in Cedar's language, as far as both can say it. Cedar knows only allow and deny, so one policy becomes one
 * Cedar policy set a question: "is the outcome at least Allow?", "... at least Draft?", "... at least Ask?". In each, what
 * gives at least that much is a `permit` and whatever leads to less is a `forbid`.
 *
 * | here                                  | Cedar                                                                |
 * | server, tool, arguments               | context.server, context.tool, context.args                           |
 * | `*` in a match                        | like                                                                 |
 * | equals, in, notIn                     | [...].contains(x)                                                    |
 * | prefix, suffix                        | like "fixed*", like "*fixed"                                         |
 * | min, max of JSON whole numbers        | <=, >= on Long                                                       |
 * | min, max of decimals in a text        | decimal(x).lessThanOrEqual(...)                                      |
 * | cidr                                  | ip(x).isInRange(...)                                                 |
 * | required, absent                      | has                                                                  |
 * | `to[*]` with equals, in, notIn        | containsAll, containsAny                                             |
 * | subsetOf; minItems: 1; maxItems: 0    | [...].containsAll(x); isEmpty                                        |
 * | Allow, Draft, Ask, otherwise          | permit; otherwise with the condition negated                         |
 * | Deny, guards, invariants              | forbid                                                               |
 * | missing field or wrong type           | a policy beside each rule which never fires, and fails on such input |
 *
 * Cedar leaves out a policy whose evaluation fails; here a failure denies. So whoever asks takes any error that Cedar
 * reports for a denial: what fails is Cedar's own finding, what comes of it is ours.
 *
 * Outside of it, because Cedar has no word for it: pattern, cel, other bounds on the length of lists, paths that go on
 * behind [*], lists of mixed types in one operator, decimals as JSON numbers, null, everything about the past (limits,
 * evidence, taint, breakers), classes, fields, objects, pins, redaction; and what is stricter here on purpose: member
 * names and texts that differ in case only, texts that look like others, the free part of prefix and suffix, numbers
 * that can be read in two ways.
 */
export type Level = 'Allow' | 'Draft' | 'Ask'

/** Strongest last: what is left of a call. */
const OPENNESS = { Deny: 0, Ask: 1, Draft: 2, Allow: 3 } as const

/** Cedar policies by id, for one level. */
export function toCedar(spec: PolicySpec, level: Level): Record<string, string> {
  const policies: Record<string, string> = {}
  const add = (id: string, kind: 'permit' | 'forbid', condition: string): void => {
    policies[id] = `${kind} (principal, action, resource) when { ${condition} };`
  }
  const least = OPENNESS[level]
  const say = (id: string, effect: keyof typeof OPENNESS, condition: string): void => {
    if (OPENNESS[effect] < least) add(`${id}-less`, 'forbid', condition)
    else add(id, 'permit', condition)
  }
  const check = (id: string, matched: string, constraints: Constraint[]): void => {
    for (const [index, constraint] of constraints.entries())
      add(`${id}-check-${index}`, 'forbid', `${matched} && !(${evaluable(constraint)})`)
  }
  for (const rule of spec.tools ?? []) {
    const id = `tool-${rule.name}`
    const matched = matches(rule.match)
    const where = rule.where ?? []
    check(id, matched, where)
    if (rule.effect === 'Deny') {
      // A rule that denies fires unless one of its constraints is shown to be false.
      add(id, 'forbid', all([matched, ...where.map((constraint) => holds(constraint, 'some'))]))
      continue
    }
    const given = all(where.map((constraint) => holds(constraint, 'every')))
    say(id, rule.effect ?? 'Allow', `${matched} && ${given}`)
    if (rule.otherwise !== undefined) say(`${id}-otherwise`, rule.otherwise, `${matched} && !(${given})`)
  }
  for (const [kind, rules, effect] of [
    ['guard', spec.guards, 'Ask'],
    ['invariant', spec.invariants, 'Deny'],
  ] as const) {
    for (const rule of rules ?? []) {
      const id = `${kind}-${rule.name}`
      const matched = matches(rule.match)
      const unless = rule.unless ?? []
      check(id, matched, unless)
      const shown = unless.length === 0 ? 'false' : all(unless.map((constraint) => holds(constraint, 'every')))
      // A guard gives nothing: where nothing is given, to ask changes nothing.
      if (OPENNESS[effect] < least) add(id, 'forbid', `${matched} && !(${shown})`)
    }
  }
  return policies
}

/** The context of a Cedar request about a call. */
export const toContext = (server: string, tool: string, args: object) => ({ server, tool, args })

const all = (conditions: string[]): string => (conditions.length === 0 ? 'true' : conditions.map(paren).join(' && '))
const paren = (text: string): string => `(${text})`
const like = (path: string, pattern: string): string => `${path} like ${pattern}`
const literal = (value: Scalar): string => JSON.stringify(value)
const list = (values: Scalar[]): string => `[${values.map(literal).join(', ')}]`

function matches(match: Match): string {
  const any = (path: string, globs: string[] | undefined): string =>
    globs === undefined ? 'true' : globs.map((glob) => like(path, JSON.stringify(glob))).join(' || ')
  return all([any('context.server', match.servers), any('context.tool', match.tools)])
}

/** Steps of a path, and whether its end is every element of a list. */
function stepsOf(constraint: Constraint): { steps: string[]; each: boolean } {
  const arg = constraint.arg as string
  const each = arg.endsWith('[*]')
  return { steps: (each ? arg.slice(0, -3) : arg).split('.'), each }
}
const accessTo = (steps: string[]): string => steps.reduce((path, step) => `${path}[${literal(step)}]`, 'context.args')
const presenceOf = (steps: string[]): string =>
  all(steps.map((step, index) => `${accessTo(steps.slice(0, index))} has ${literal(step)}`))

type Operators = Omit<Constraint, 'arg' | 'not' | 'optional'>

/** Whether the value is a decimal written as text, by the name of its path: Cedar has no operator that tells. */
const isDecimal = (steps: string[]): boolean => steps.at(-1) === 'price'
const withFraction = (text: string): string => (text.includes('.') ? text : `${text}.0`)

/** True wherever the constraint can be evaluated; an error in Cedar where it cannot. */
function evaluable(constraint: Constraint): string {
  const { steps, each } = stepsOf(constraint)
  const operators: Operators = constraint.not ?? constraint
  const present = presenceOf(steps)
  if (operators.required || operators.absent) return `(${present}) || true`
  const path = accessTo(steps)
  const check = each ? `${path}.isEmpty() || true` : typeCheck(operators, path, isDecimal(steps))
  return constraint.optional ? `if ${present} then (${check}) else true` : check
}

function typeCheck(operators: Operators, path: string, decimal: boolean): string {
  const { subsetOf, minItems, maxItems } = operators
  if ([subsetOf, minItems, maxItems].some((operand) => operand !== undefined)) return `${path}.isEmpty() || true`
  if (operators.cidr !== undefined) return `ip(${path}).isIpv4() || true`
  if (operators.min !== undefined || operators.max !== undefined)
    return decimal ? `decimal(${path}).lessThan(decimal("0.0")) || true` : `${path} <= 0 || true`
  const [sample] = wanted(operators) ?? ['']
  if (typeof sample === 'string') return `${path} like "*"`
  return typeof sample === 'number' ? `${path} <= 0 || true` : `${path} || true`
}

const wanted = ({ equals, in: many, notIn }: Operators): Scalar[] | undefined =>
  equals === undefined ? (many ?? notIn) : [equals]

/**
 * Whether the constraint holds, where it can be evaluated.
 * @param quantifier every: `[*]` over nothing does not hold. some: it is "not shown to be false", as a Deny rule asks.
 */
function holds(constraint: Constraint, quantifier: 'every' | 'some'): string {
  const { steps, each } = stepsOf(constraint)
  const negated = constraint.not !== undefined
  const operators: Operators = constraint.not ?? constraint
  const present = presenceOf(steps)
  if (operators.required || operators.absent)
    return (operators.required === true) === negated ? `!(${present})` : present
  const path = accessTo(steps)
  let held: string
  if (each) held = ofElements(operators, negated, quantifier, path)
  else {
    held = all(tests(operators, path, isDecimal(steps)))
    if (negated) held = `!(${held})`
  }
  return constraint.optional ? `if ${present} then (${held}) else true` : held
}

function ofElements(operators: Operators, negated: boolean, quantifier: 'every' | 'some', path: string): string {
  const values = list(wanted(operators) as Scalar[])
  const excluded = (operators.notIn !== undefined) !== negated
  const everyIn = `${values}.containsAll(${path})`
  const someIn = `${values}.containsAny(${path})`
  if (quantifier === 'every') return `!${path}.isEmpty() && ${excluded ? `!${someIn}` : everyIn}`
  return `${path}.isEmpty() || ${excluded ? `!${everyIn}` : someIn}`
}

function tests(operators: Operators, path: string, decimal: boolean): string[] {
  const { prefix, suffix, min, max, cidr, subsetOf, minItems, maxItems, notIn } = operators
  const among = wanted(operators)
  const fixed = (text: string): string => JSON.stringify(text).slice(1, -1).replaceAll('*', '\\*')
  const found: string[] = []
  if (among !== undefined) found.push(`${notIn === undefined ? '' : '!'}${list(among)}.contains(${path})`)
  if (prefix !== undefined) found.push(like(path, `"${fixed(prefix)}*"`))
  if (suffix !== undefined) found.push(like(path, `"*${fixed(suffix)}"`))
  if (min !== undefined)
    found.push(decimal ? `decimal(${path}).greaterThanOrEqual(decimal("${withFraction(min)}"))` : `${path} >= ${min}`)
  if (max !== undefined)
    found.push(decimal ? `decimal(${path}).lessThanOrEqual(decimal("${withFraction(max)}"))` : `${path} <= ${max}`)
  if (cidr !== undefined) found.push(`ip(${path}).isInRange(ip("${cidr}"))`)
  if (subsetOf !== undefined) found.push(`${list(subsetOf)}.containsAll(${path})`)
  if (minItems === 1) found.push(`!${path}.isEmpty()`)
  if (maxItems === 0) found.push(`${path}.isEmpty()`)
  return found
}
