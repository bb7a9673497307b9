import { isIP } from 'node:net'
import type { Match, PolicySpec, RestrictingRule, ToolRule } from '../api/gen/types.ts'
import { checkConstraints } from './constraint-check.ts'
import { globProblem } from './glob.ts'
import { type Problem, type Problems, problems } from './problem.ts'

export { checkOwnerGroup } from './owner-check.ts'

const TOOL_KEYS = new Set(['name', 'match', 'class', 'effect', 'where', 'otherwise', 'limits', 'evidence'])
const RESTRICTING_KEYS = new Set(['name', 'match', 'unless'])
const MATCH_KEYS = new Set(['servers', 'tools', 'classes'])
const SPEC_KEYS = new Set(['mode', 'tools', 'guards', 'invariants', 'egress'])
const REMOVE = 'Remove it.'
const LATER = 'is not enforced by this version'

/**
 * Everything that makes a policy one this version cannot enforce to the letter: mistakes (PolicyInvalid) and what later
 * versions enforce (PolicyUnsupported). A policy with any problem is refused whole, never enforced in part.
 *
 * @param scope Cluster for a ClusterAgentPolicy, which only restricts: its tools may only Deny, and it opens no egress.
 */
export function checkPolicy(spec: PolicySpec, scope: 'Namespace' | 'Cluster' = 'Namespace'): Problem[] {
  const found = problems()
  unknownKeys(spec, SPEC_KEYS, 'spec', found)
  if (spec.mode !== undefined && spec.mode !== 'Enforce' && spec.mode !== 'Observe') {
    found.at('spec.mode', spec.mode, 'PolicyInvalid', 'is not a mode', 'Write Enforce or Observe.')
  }
  each(spec.tools, 'spec.tools', found, (rule, field) => {
    checkToolRule(rule, field, found)
    if (scope === 'Cluster' && rule.effect !== 'Deny') {
      const fix = 'Use Deny, guards or invariants; give in an AgentPolicy.'
      found.at(
        `${field}.effect`,
        rule.effect,
        'PolicyInvalid',
        'cannot be given by a ClusterAgentPolicy, which only restricts',
        fix,
      )
    }
  })
  for (const kind of ['guards', 'invariants'] as const) {
    each(spec[kind], `spec.${kind}`, found, (rule, field) => checkRestrictingRule(rule, field, found))
  }
  if (spec.egress !== undefined) checkEgress(spec.egress, scope, found)
  return found.list
}

function each<R extends { name: string }>(
  rules: R[] | undefined,
  field: string,
  found: Problems,
  check: (rule: R, field: string) => void,
): void {
  const names = new Set<string>()
  rules?.forEach((rule, index) => {
    const at = `${field}[${index}]`
    if (typeof rule.name !== 'string' || rule.name === '') {
      found.at(`${at}.name`, rule.name, 'PolicyInvalid', 'is missing', 'Give the rule the name a person should see.')
    } else if (names.has(rule.name)) {
      found.at(
        `${at}.name`,
        rule.name,
        'PolicyInvalid',
        'is used twice in this list',
        'Give each rule a name of its own.',
      )
    }
    names.add(rule.name)
    check(rule, at)
  })
}

function checkToolRule(rule: ToolRule, field: string, found: Problems): void {
  unknownKeys(rule, TOOL_KEYS, field, found)
  checkMatch(rule.match, `${field}.match`, found)
  if (rule.effect === 'Draft')
    found.at(`${field}.effect`, 'Draft', 'PolicyUnsupported', LATER, 'Use Allow, Ask or Deny.')
  else if (!['Allow', 'Ask', 'Deny'].includes(rule.effect)) {
    found.at(`${field}.effect`, rule.effect, 'PolicyInvalid', 'is not an effect', 'Use Allow, Ask or Deny.')
  }
  if (rule.where !== undefined) checkConstraints(rule.where, `${field}.where`, found)
  if (rule.otherwise !== undefined) {
    const at = `${field}.otherwise`
    if (rule.otherwise === 'Draft') found.at(at, 'Draft', 'PolicyUnsupported', LATER, 'Use Ask or Deny.')
    else if (rule.otherwise !== 'Ask' && rule.otherwise !== 'Deny') {
      found.at(at, rule.otherwise, 'PolicyInvalid', 'is not an effect a rule can fall back to', 'Use Ask or Deny.')
    } else if (rule.effect === 'Deny')
      found.at(at, rule.otherwise, 'PolicyInvalid', 'belongs to a rule that gives', REMOVE)
    else if (rule.where === undefined) {
      found.at(at, rule.otherwise, 'PolicyInvalid', 'is never reached without where', 'Add where, or remove it.')
    }
  }
  for (const key of ['limits', 'evidence'] as const) {
    if (rule[key] !== undefined) found.at(`${field}.${key}`, undefined, 'PolicyUnsupported', LATER, REMOVE)
  }
}

function checkRestrictingRule(rule: RestrictingRule, field: string, found: Problems): void {
  unknownKeys(rule, RESTRICTING_KEYS, field, found)
  checkMatch(rule.match, `${field}.match`, found)
  if (rule.unless !== undefined) checkConstraints(rule.unless, `${field}.unless`, found)
}

function checkMatch(match: Match | undefined, field: string, found: Problems): void {
  unknownKeys(match ?? {}, MATCH_KEYS, field, found)
  if (match?.classes !== undefined)
    found.at(`${field}.classes`, match.classes, 'PolicyUnsupported', LATER, 'Match by servers and tools.')
  else if (match?.servers === undefined && match?.tools === undefined) {
    found.at(
      field,
      match,
      'PolicyInvalid',
      'names neither servers nor tools',
      'Add tools: ["*"] if every tool is meant.',
    )
  }
  for (const key of ['servers', 'tools'] as const) {
    const globs = match?.[key]
    if (globs === undefined) continue
    if (!Array.isArray(globs) || globs.length === 0) {
      found.at(
        `${field}.${key}`,
        globs,
        'PolicyInvalid',
        'lists nothing',
        `Leave ${key} out to match all, or list names.`,
      )
      continue
    }
    globs.forEach((pattern, index) => {
      const problem = typeof pattern === 'string' ? globProblem(pattern) : 'is not a text'
      if (problem !== undefined) {
        found.at(
          `${field}.${key}[${index}]`,
          pattern,
          'PolicyInvalid',
          problem,
          'Write a name; * stands for any characters.',
        )
      }
    })
  }
}

function checkEgress(egress: NonNullable<PolicySpec['egress']>, scope: 'Namespace' | 'Cluster', found: Problems): void {
  if (egress.hosts !== undefined) {
    found.at(
      'spec.egress.hosts',
      egress.hosts,
      'PolicyUnsupported',
      LATER,
      'Use egress.cidrs until the egress gateway exists.',
    )
  }
  if (scope === 'Cluster') {
    found.at(
      'spec.egress',
      egress,
      'PolicyInvalid',
      'cannot be given by a ClusterAgentPolicy, which only restricts',
      REMOVE,
    )
  }
  egress.cidrs?.forEach(({ cidr, ports }, index) => {
    if (!isCidr(cidr)) {
      const fix = 'Write an address and a length: 203.0.113.0/24.'
      found.at(`spec.egress.cidrs[${index}].cidr`, cidr, 'PolicyInvalid', 'is not a network', fix)
    }
    ports?.forEach((port, at) => {
      if (Number.isInteger(port) && port >= 1 && port <= 65535) return
      found.at(
        `spec.egress.cidrs[${index}].ports[${at}]`,
        port,
        'PolicyInvalid',
        'is not a port',
        'Write a number from 1 to 65535.',
      )
    })
  })
}

function isCidr(text: string): boolean {
  const match = /^([0-9a-fA-F.:]+)\/(0|[1-9][0-9]{0,2})$/.exec(text)
  if (match === null) return false
  const version = isIP(match[1] as string)
  return version !== 0 && Number(match[2]) <= (version === 4 ? 32 : 128)
}

function unknownKeys(object: object, known: Set<string>, field: string, found: Problems): void {
  for (const key of Object.keys(object)) {
    if (!known.has(key)) found.at(`${field}.${key}`, undefined, 'PolicyUnsupported', LATER, REMOVE)
  }
}
