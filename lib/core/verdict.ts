import type { Truth } from './constraint.ts'
import type { ToolCall } from './decide.ts'
import type { PreparedRule } from './prepare.ts'

type DenialCode = 'DeniedByInvariant' | 'ConstraintError' | 'DeniedByRule' | 'ConstraintFailed'

/** What the rules that match a call come to; `detail` is a phrase without full stop that begins a sentence. */
export type Verdict =
  | { effect: 'Allow'; rule: PreparedRule }
  | { effect: 'Ask'; rule: PreparedRule; detail: string }
  | { effect: 'Deny'; code: DenialCode; rule: PreparedRule; detail: string }

/** How strong each finding is; the strongest wins and among equals the first in the prepared (sorted) order. */
const STRENGTH = { invariant: 6, error: 5, deny: 4, ask: 3, allow: 2, failed: 1 } as const
type Finding = { strength: keyof typeof STRENGTH; misses: number; verdict: Verdict }

/**
 * The verdict of the rules that match, or undefined when none of them says anything.
 * @param byDefault what a call gets that no rule gives: restrictions that Ask apply only to what is given.
 */
export function judge(matching: PreparedRule[], call: ToolCall, byDefault: 'Allow' | 'Deny'): Verdict | undefined {
  const findings: Finding[] = []
  for (const rule of matching) {
    const truths = rule.constraints.map((evaluate) => evaluate(call.arguments, call))
    const error = truths.find((truth) => truth.is === 'error')
    if (error !== undefined) {
      const verdict = { effect: 'Deny', code: 'ConstraintError', rule, detail: error.what } as const
      findings.push({ strength: 'error', misses: 0, verdict })
      continue
    }
    const finding = rule.type === 'tool' ? toolFinding(rule, truths, call) : restriction(rule, truths, call)
    if (finding !== undefined) findings.push(finding)
  }
  const given =
    byDefault === 'Allow' || findings.some(({ verdict }) => verdict.rule.type === 'tool' && verdict.effect !== 'Deny')
  let best: Finding | undefined
  for (const finding of findings) {
    if (!given && finding.verdict.rule.type === 'guard' && finding.strength === 'ask') continue
    const stronger = best === undefined ? 1 : STRENGTH[finding.strength] - STRENGTH[best.strength]
    // Of rules that would have given, the one that came nearest is the one worth naming.
    const nearer = finding.strength === 'failed' && finding.misses < (best?.misses ?? 0)
    if (stronger > 0 || (stronger === 0 && nearer)) best = finding
  }
  return best?.verdict
}

type Miss = Extract<Truth, { wants: string }>
const missesOf = (truths: Truth[]): Miss[] =>
  truths.filter((truth): truth is Miss => truth.is === 'false' || truth.is === 'nothing')

function toolFinding(rule: PreparedRule, truths: Truth[], call: ToolCall): Finding | undefined {
  const misses = missesOf(truths)
  if (rule.effect === 'Deny') {
    if (truths.some((truth) => truth.is === 'false')) return undefined
    const detail = `${call.server}/${call.tool} is denied`
    return { strength: 'deny', misses: 0, verdict: { effect: 'Deny', code: 'DeniedByRule', rule, detail } }
  }
  const [miss] = misses
  if (miss === undefined) {
    if (rule.effect === 'Allow') return { strength: 'allow', misses: 0, verdict: { effect: 'Allow', rule } }
    return { strength: 'ask', misses: 0, verdict: { effect: 'Ask', rule, detail: `${rule.name} asks first` } }
  }
  const detail = `${miss.what}; ${rule.name} ${rule.effect === 'Allow' ? 'allows' : 'covers'} ${miss.wants}`
  if (rule.otherwise === 'Ask') return { strength: 'ask', misses: 0, verdict: { effect: 'Ask', rule, detail } }
  const strength = rule.otherwise === 'Deny' ? 'deny' : 'failed'
  return { strength, misses: misses.length, verdict: { effect: 'Deny', code: 'ConstraintFailed', rule, detail } }
}

function restriction(rule: PreparedRule, truths: Truth[], call: ToolCall): Finding | undefined {
  const [miss] = missesOf(truths)
  if (miss === undefined && truths.length > 0) return undefined
  const detail =
    miss === undefined ? `${call.server}/${call.tool} is never allowed` : `${miss.what}; it allows ${miss.wants}`
  if (rule.type === 'invariant') {
    return { strength: 'invariant', misses: 0, verdict: { effect: 'Deny', code: 'DeniedByInvariant', rule, detail } }
  }
  const asks =
    miss === undefined ? `${rule.name} asks first` : `${miss.what}; ${rule.name} lets ${miss.wants} pass without asking`
  return { strength: 'ask', misses: 0, verdict: { effect: 'Ask', rule, detail: asks } }
}
