import type { Match, Redaction, ToolRule } from '../../api/gen/types.ts'
import type { RemitRule } from '../../api/remit.ts'
import { aliasOf } from '../alias.ts'
import { meet } from '../glob-set.ts'
import { parsePath, type Step } from '../path.ts'
import { type Problem, type Problems, problems } from '../problem.ts'
import { checkMatch } from './match.ts'
import { checkPaths, isShape, unknownKeys } from './shape.ts'

const KEYS = new Set(['match', 'arguments', 'results'])

export function checkRedactions(redactions: Redaction[], field: string, found: Problems): void {
  redactions.forEach((redaction, index) => {
    const at = `${field}[${index}]`
    if (!isShape(redaction, at, '{match: {tools: [pay]}, arguments: [iban]}', found)) return
    unknownKeys(redaction, KEYS, at, found)
    checkMatch(redaction.match, `${at}.match`, found)
    if (redaction.arguments === undefined && redaction.results === undefined)
      found.at(at, redaction, 'PolicyInvalid', 'names nothing', 'List arguments or results: arguments: [iban].')
    if (redaction.arguments !== undefined) checkPaths(redaction.arguments, `${at}.arguments`, found)
    if (redaction.results !== undefined) checkPaths(redaction.results, `${at}.results`, found)
  })
}

type ToolRuleOf = Extract<RemitRule, { type: 'tool' }>

/**
 * Rules that need in the record what a redaction keeps out of it: sums, distinct counts, evidence and the reading of
 * objects go by values of earlier calls, or hand them to another tool. Of any policies, so that a ClusterAgentPolicy's
 * redaction is held against every policy's rules.
 *
 * @param rules those of a remit, the rules of one policy in its own order
 */
export function redactionConflicts(rules: RemitRule[], redactions: Redaction[]): Problem[] {
  const found = problems()
  if (redactions.length === 0) return found.list
  const tools = rules.filter((rule): rule is ToolRuleOf => rule.type === 'tool')
  const places = new Map<string, number>()
  const meets = remembered()
  for (const rule of tools) {
    const index = places.get(rule.policy) ?? 0
    places.set(rule.policy, index + 1)
    const before = found.list.length
    for (const { field, path, matches } of needs(rule, tools)) {
      const redaction = redactions.find((each) => withholds(each, path, matches, meets))
      if (redaction === undefined) continue
      const detail = 'is redacted, so it is not known later what it was'
      const fix = 'Take it out of redact, or let the rule go by another argument.'
      found.at(`spec.tools[${index}].${field}`, path, 'PolicyInvalid', detail, fix)
    }
    if (rule.policy === '') continue
    for (const problem of found.list.slice(before)) problem.object = `AgentPolicy ${rule.policy}`
  }
  return found.list
}

/** The paths whose values a rule needs, and the calls it needs them of. */
function needs(rule: ToolRuleOf, tools: ToolRuleOf[]): { field: string; path: string; matches: Match[] }[] {
  const { match, limits = [], evidence = [], object } = rule as ToolRule
  const given = (): Match[] =>
    tools.filter((other) => other.policy === rule.policy && other.effect !== 'Deny').map((other) => other.match)
  const counted = { Rule: () => [match], Tool: () => [match], Policy: given, Agent: () => [{}] }
  return [
    ...limits.flatMap(({ sum, distinct, scope = 'Rule' }, index) => {
      const path = sum ?? distinct
      if (path === undefined) return []
      const field = `limits[${index}].${sum === undefined ? 'distinct' : 'sum'}`
      return [{ field, path, matches: counted[scope]() }]
    }),
    ...evidence.flatMap(({ tool, same = {} }, index) => {
      const slash = tool.indexOf('/')
      const earlier = { servers: [tool.slice(0, slash)], tools: [tool.slice(slash + 1)] }
      return Object.entries(same).flatMap(([mine, theirs]) => [
        { field: `evidence[${index}].same`, path: mine, matches: [match] },
        { field: `evidence[${index}].same.${mine}`, path: theirs, matches: [earlier] },
      ])
    }),
    ...Object.entries(object?.with ?? {}).map(([name, path]) => ({
      field: `object.with.${name}`,
      path,
      matches: [match],
    })),
  ]
}

type Meets = (redaction: Redaction, match: Match) => boolean

/** Many needs are about the same few matches, and lists of names are long. */
function remembered(): Meets {
  const known = new Map<Redaction, Map<Match, boolean>>()
  return (redaction, match) => {
    const mine = known.get(redaction) ?? new Map<Match, boolean>()
    known.set(redaction, mine)
    const met = mine.get(match) ?? matchesMeet(redaction.match, match)
    mine.set(match, met)
    return met
  }
}

function withholds(redaction: Redaction, path: string, matches: Match[], meets: Meets): boolean {
  if (!redaction.arguments?.some((redacted) => onOneLine(redacted, path))) return false
  return matches.some((match) => meets(redaction, match))
}

/** Whether one of the paths leads to, or into, what the other leads to; names in another case count as the same. */
function onOneLine(a: string, b: string): boolean {
  const others = parsePath(b) ?? []
  return (parsePath(a) ?? []).every((step, index) => others[index] === undefined || sameStep(step, others[index]))
}

const sameStep = (a: Step, b: Step): boolean =>
  'each' in a ? 'each' in b : 'key' in b && (a.key === b.key || aliasOf(a.key, [b.key]) !== undefined)

function matchesMeet(a: Match, b: Match): boolean {
  const common = (one?: string[], other?: string[]): boolean =>
    one === undefined || other === undefined || one.some((x) => other.some((y) => meet(x, y)))
  const { classes } = b
  if (a.classes !== undefined && classes !== undefined && !a.classes.some((cls) => classes.includes(cls))) return false
  return common(a.servers, b.servers) && common(a.tools, b.tools)
}
