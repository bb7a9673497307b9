import type { PolicySpec } from '../api/gen/types.ts'
import type { RemitRule } from '../api/remit.ts'
import { checkEgress } from './check/egress.ts'
import { checkOtherRule, OTHER_LISTS } from './check/other-rule.ts'
import { checkPins } from './check/pins.ts'
import { checkRedactions, redactionConflicts } from './check/redact.ts'
import { checkBreaker, checkRestrictingRule, checkTaintRule } from './check/restricting.ts'
import { checkFlag, checkWord, isShape, unknownKeys } from './check/shape.ts'
import { checkToolRule } from './check/tool-rule.ts'
import { type Problem, type Problems, problems } from './problem.ts'

export { redactionConflicts } from './check/redact.ts'
export { checkOwnerGroup } from './owner-check.ts'

const LISTS = ['tools', ...OTHER_LISTS, 'guards', 'invariants', 'taint', 'pins', 'redact'] as const
const KEYS = new Set<string>(['mode', 'readOnly', 'breaker', 'egress', ...LISTS])

/**
 * Everything that makes a policy one this version cannot enforce to the letter: mistakes (PolicyInvalid) and what later
 * versions enforce (PolicyUnsupported). A policy with any problem is refused whole, never enforced in part.
 *
 * @param scope Cluster for a ClusterAgentPolicy, which only restricts: its tools may only Deny, and it opens no egress.
 */
export function checkPolicy(spec: PolicySpec, scope: 'Namespace' | 'Cluster' = 'Namespace'): Problem[] {
  const found = problems()
  unknownKeys(spec, KEYS, 'spec', found)
  if (spec.mode !== undefined) checkWord(spec.mode, ['Enforce', 'Observe'], 'a mode', 'spec.mode', found)
  if (spec.readOnly !== undefined) checkFlag(spec.readOnly, 'spec.readOnly', found)
  if (!areLists(spec, found)) return found.list
  each(spec.tools, 'spec.tools', found, (rule, field) => checkToolRule(rule, field, scope, found))
  for (const kind of OTHER_LISTS) {
    each(spec[kind], `spec.${kind}`, found, (rule, field) => checkOtherRule(rule, kind, field, scope, found))
  }
  for (const kind of ['guards', 'invariants'] as const) {
    each(spec[kind], `spec.${kind}`, found, (rule, field) => checkRestrictingRule(rule, field, found))
  }
  each(spec.taint, 'spec.taint', found, (rule, field) => checkTaintRule(rule, field, found))
  checkFloor(spec, found)
  checkNames(spec, found)
  if (spec.pins !== undefined) checkPins(spec.pins, 'spec.pins', found)
  if (spec.redact !== undefined) checkRedactions(spec.redact, 'spec.redact', found)
  if (spec.breaker !== undefined) checkBreaker(spec.breaker, 'spec.breaker', found)
  if (spec.egress !== undefined) checkEgress(spec.egress, scope, found)
  // What the paths mean can be compared only once all of them can be read.
  if (found.list.length === 0) found.list.push(...redactionConflicts(toolRulesOf(spec), spec.redact ?? []))
  return found.list
}

const toolRulesOf = ({ tools = [] }: PolicySpec): RemitRule[] =>
  tools.map((rule) => ({ policy: '', mode: 'Enforce', type: 'tool', ...rule }))

function areLists(spec: PolicySpec, found: Problems): boolean {
  const wrong = LISTS.filter((key) => spec[key] !== undefined && !Array.isArray(spec[key]))
  for (const key of wrong) found.at(`spec.${key}`, spec[key], 'PolicyInvalid', 'is not a list', 'Write a list.')
  return wrong.length === 0
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
    if (!isShape(rule, at, '{name: read, match: {tools: ["get_*"]}}', found)) return
    if (typeof rule.name !== 'string' || rule.name === '') {
      found.at(`${at}.name`, rule.name, 'PolicyInvalid', 'is missing', 'Give the rule the name a person should see.')
    } else if (names.has(rule.name)) {
      const fix = 'Give each rule a name of its own.'
      found.at(`${at}.name`, rule.name, 'PolicyInvalid', 'is used twice in this list', fix)
    }
    names.add(rule.name)
    check(rule, at)
  })
}

/** A receipt says rule and policy, so a rule of the lists about other things than tools has a name of its own in both. */
function checkNames(spec: PolicySpec, found: Problems): void {
  const { tools = [], guards = [], invariants = [], taint = [], readOnly } = spec
  const taken = new Set([...tools, ...guards, ...invariants, ...taint].map((rule) => rule?.name))
  if (readOnly === true) taken.add('read-only')
  for (const kind of OTHER_LISTS) {
    const mine = (spec[kind] ?? []).map((rule) => rule?.name)
    for (const [index, name] of mine.entries()) {
      if (name === undefined || !taken.has(name)) continue
      const fix = 'Give it another name: receipts tell rules of one policy apart by it.'
      found.at(`spec.${kind}[${index}].name`, name, 'PolicyInvalid', 'is the name of another rule of this policy', fix)
    }
    for (const name of mine) taken.add(name)
  }
}

/** `readOnly` becomes an invariant of that name. */
function checkFloor({ readOnly, invariants = [] }: PolicySpec, found: Problems): void {
  const index = invariants.findIndex((rule) => rule?.name === 'read-only')
  if (readOnly !== true || index < 0) return
  const detail = 'is the name of what readOnly: true stands for'
  found.at(`spec.invariants[${index}].name`, 'read-only', 'PolicyInvalid', detail, 'Give it another name.')
}
