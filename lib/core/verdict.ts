import type { ToolClass } from '../api/gen/types.ts'
import { isStronger } from './class.ts'
import type { About, Truth } from './constraint.ts'
import { describe, type ErrorCode } from './errors.ts'
import { fitsWhole, type ToolClasses } from './match.ts'
import type { PreparedRule } from './prepare-rule.ts'
import type { Asked, Check, Fact } from './rule/check.ts'

/** What a rule finds of a call; `detail` is a phrase without full stop that begins a sentence. */
export interface Finding {
  rule: PreparedRule
  /** Whether it gives; what does not only holds back what others give. */
  gives: boolean
  strength: keyof typeof STRENGTH
  /** The code of a denial; absent for what gives or asks. */
  code: ErrorCode | undefined
  detail: string
  /** Of a rule that would have given: how much was missing. */
  misses: number
  facts: Fact[]
}

/** How strong each finding is; the strongest wins and among equals the first in the prepared (sorted) order. */
const STRENGTH = { invariant: 8, error: 5, deny: 4, ask: 3, draft: 2.5, allow: 2, failed: 1 } as const
export const strengthOf = ({ strength }: Finding): number => STRENGTH[strength]

/** What rules are asked about, with the class its server's annotations imply. */
export interface Question extends Asked {
  /** As sentences name what is asked for, where it is no call of a tool. */
  what?: string
  annotated: ToolClass | undefined
  classes: ToolClasses
  /** What paths were found to lead to; see About. */
  resolved: NonNullable<About['resolved']>
}

/**
 * The strongest of what rules found, or undefined when none of it counts.
 * @param byDefault what a call gets that no rule gives: restrictions that Ask apply only to what is given.
 */
export function strongest(findings: Finding[], byDefault: 'Allow' | 'Deny'): Finding | undefined {
  const given = byDefault === 'Allow' || findings.some(({ gives }) => gives)
  let best: Finding | undefined
  for (const finding of findings) {
    if (!given && !finding.gives && HOLDS_BACK.has(finding.strength)) continue
    const stronger = best === undefined ? 1 : strengthOf(finding) - strengthOf(best)
    if (best === undefined || stronger > 0 || (stronger === 0 && isNearer(finding, best))) best = finding
  }
  return best
}

/** Of rules that would have given, the one that came nearest is worth naming: that missed less, or of more. */
function isNearer(one: Finding, other: Finding): boolean {
  if (one.strength !== 'failed') return false
  if (one.misses !== other.misses) return one.misses < other.misses
  return one.rule.constraints.length > other.rule.constraints.length
}

const whatOf = ({ what, server, tool }: Question): string => what ?? `${server}/${tool}`

const HOLDS_BACK = new Set<Finding['strength']>(['ask', 'draft'])
const GIVES = new Set<Finding['strength']>(['allow', 'draft', 'ask'])

/** What a rule that matches says of the call, or undefined when it says nothing. */
export function examine(rule: PreparedRule, asked: Question): Finding | undefined {
  if (rule.trackers.length > 0 && !asked.history.loaded)
    return finding(rule, 'error', describe('HistoryNotLoaded', { rule: rule.name }).message, 'HistoryNotLoaded')
  const tainted = rule.after === undefined ? undefined : taint(rule, asked)
  if (tainted?.holds === false) return undefined
  const truths: Truth[] = []
  for (const evaluate of rule.constraints) {
    const truth = evaluate(asked.arguments, asked)
    if (truth.is === 'error') return finding(rule, 'error', truth.what, 'ConstraintError')
    truths.push(truth)
  }
  if (rule.effect === undefined) return restriction(rule, truths, asked, tainted)
  if (rule.effect === 'Deny') return denial(rule, truths, asked)
  const found = giving(rule, truths, asked)
  const gives = GIVES.has(found.strength) && fitsWhole(rule.match, asked.classes)
  return found.strength === 'allow' && !gives ? undefined : { ...found, gives }
}

const finding = (
  rule: PreparedRule,
  strength: Finding['strength'],
  detail: string,
  code?: ErrorCode,
  facts: Fact[] = [],
  misses = 0,
): Finding => ({ rule, gives: false, strength, code, detail, misses, facts })

type Miss = { what: string; wants: string; code: ErrorCode }
function missesOf(truths: Truth[]): Miss[] {
  const misses: Miss[] = []
  for (const truth of truths) {
    if (truth.is === 'false' || truth.is === 'nothing')
      misses.push({ what: truth.what, wants: truth.wants, code: 'ConstraintFailed' })
  }
  return misses
}

function denial(rule: PreparedRule, truths: Truth[], asked: Question): Finding | undefined {
  if (truths.some((truth) => truth.is === 'false')) return undefined
  return finding(rule, 'deny', `${whatOf(asked)} is denied`, 'DeniedByRule')
}

const SAYS = { Allow: 'allow', Draft: 'draft', Ask: 'ask', Deny: 'deny' } as const
const VERB = { Allow: 'allows', Draft: 'drafts', Ask: 'covers' }
const gave = (rule: PreparedRule, effect: 'Allow' | 'Draft' | 'Ask', call: string): string =>
  effect === 'Ask' ? `${rule.name} asks first` : `${rule.name} ${VERB[effect]} ${call}`

function giving(rule: PreparedRule, truths: Truth[], asked: Question): Finding {
  const misses = missesOf(truths)
  const facts: Fact[] = []
  for (const check of checksOf(rule, asked, misses.length === 0)) {
    if (check.is === 'error') return finding(rule, 'error', check.what, 'ConstraintError', facts)
    if (check.fact !== undefined) facts.push(check.fact)
    if (check.is === 'false') misses.push(check)
  }
  const effect = rule.effect as 'Allow' | 'Draft' | 'Ask'
  const [miss] = misses
  const call = whatOf(asked)
  if (miss === undefined) {
    const { annotated } = asked
    if (effect !== 'Ask' && rule.class !== undefined && annotated !== undefined && isStronger(annotated, rule.class)) {
      const detail = `${call} is ${annotated} by its server's own annotations; ${rule.name} is about ${rule.class}`
      return finding(rule, 'ask', detail, undefined, facts)
    }
    return finding(rule, SAYS[effect], gave(rule, effect, call), undefined, facts)
  }
  const detail = `${miss.what}; ${rule.name} ${VERB[effect]} ${miss.wants}`
  if (rule.otherwise !== undefined)
    return finding(rule, SAYS[rule.otherwise], detail, rule.otherwise === 'Deny' ? miss.code : undefined, facts)
  return finding(rule, 'failed', detail, miss.code, facts, misses.length)
}

/**
 * What comes after the constraints, each only asked when the cheaper ones before leave the rule standing; limits and
 * evidence always, so that an argument they cannot judge is an error whatever else is said.
 */
function checksOf(rule: PreparedRule, asked: Question, standing: boolean): Check[] {
  const checks: Check[] = []
  const fields = rule.fields?.(asked.arguments)
  if (fields !== undefined) checks.push(fields)
  for (const check of rule.limits) checks.push(check(asked))
  for (const check of rule.evidence) checks.push(check(asked))
  if (standing && fields?.is !== 'false' && rule.object !== undefined) checks.push(...rule.object.checks(asked))
  return checks
}

function taint(rule: PreparedRule, { history, steady }: Question): Fact {
  const { key, per } = rule.after as NonNullable<PreparedRule['after']>
  const at = history.last.get(key)
  const holds = at !== undefined && at > steady - per
  const detail = holds ? `${rule.name} applies since the agent read something untrusted` : `nothing untrusted was read`
  return { what: 'taint', holds, detail }
}

function restriction(rule: PreparedRule, truths: Truth[], asked: Question, tainted?: Fact): Finding | undefined {
  const [miss] = missesOf(truths)
  const facts = tainted === undefined ? [] : [tainted]
  if (miss === undefined && truths.length > 0) return undefined
  if (rule.type === 'invariant') {
    const detail = miss === undefined ? `${whatOf(asked)} is never allowed` : `${miss.what}; it allows ${miss.wants}`
    return finding(rule, 'invariant', detail, 'DeniedByInvariant')
  }
  const first =
    tainted === undefined
      ? `${rule.name} asks first`
      : `the agent has read something untrusted, so ${rule.name} asks first`
  const detail = miss === undefined ? first : `${miss.what}; ${rule.name} lets ${miss.wants} pass without asking`
  return finding(rule, 'ask', detail, undefined, facts)
}
