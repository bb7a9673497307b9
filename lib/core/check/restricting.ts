import type { Breaker, RestrictingRule, TaintRule } from '../../api/gen/types.ts'
import { checkConstraints } from '../constraint-check.ts'
import type { Problems } from '../problem.ts'
import { checkMatch } from './match.ts'
import { checkCount, checkDuration, isShape, unknownKeys } from './shape.ts'

const RULE_KEYS = new Set(['name', 'match', 'unless'])
const TAINT_KEYS = new Set(['name', 'after', 'for', 'match', 'unless'])
const BREAKER_KEYS = new Set(['errors', 'denials', 'calls', 'per'])

/** A guard or an invariant. */
export function checkRestrictingRule(rule: RestrictingRule, field: string, found: Problems): void {
  unknownKeys(rule, RULE_KEYS, field, found)
  checkBody(rule, field, found)
}

export function checkTaintRule(rule: TaintRule, field: string, found: Problems): void {
  unknownKeys(rule, TAINT_KEYS, field, found)
  checkMatch(rule.after, `${field}.after`, found)
  if (rule.for !== undefined) checkDuration(rule.for, `${field}.for`, found)
  checkBody(rule, field, found)
}

function checkBody({ match, unless }: Pick<RestrictingRule, 'match' | 'unless'>, field: string, found: Problems): void {
  checkMatch(match, `${field}.match`, found)
  if (unless !== undefined) checkConstraints(unless, `${field}.unless`, found)
}

export function checkBreaker(breaker: Breaker, field: string, found: Problems): void {
  const example = '{errors: 5, denials: 10}'
  if (!isShape(breaker, field, example, found)) return
  unknownKeys(breaker, BREAKER_KEYS, field, found)
  const { calls, per } = breaker
  for (const key of ['errors', 'denials', 'calls'] as const) {
    if (breaker[key] !== undefined) checkCount(breaker[key], 1, `${field}.${key}`, found)
  }
  if (per !== undefined) checkDuration(per, `${field}.per`, found)
  if ((calls === undefined) !== (per === undefined)) {
    const [missing, fix] =
      per === undefined
        ? ['per', 'Say in what time: per: 1m.']
        : ['calls', 'Say how many calls in that time, or remove per.']
    found.at(`${field}.${missing}`, undefined, 'PolicyInvalid', 'is missing: calls and per belong together', fix)
  } else if (breaker.errors === undefined && breaker.denials === undefined && calls === undefined) {
    found.at(field, breaker, 'PolicyInvalid', 'never opens', `Give errors, denials, or calls with per: ${example}.`)
  }
}
