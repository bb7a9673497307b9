import type { ToolClass } from '../api/gen/types.ts'
import type { DecisionRecord, Facts } from '../api/receipt.ts'
import type { RemitRule } from '../api/remit.ts'
import type { PreparedRule } from './prepare-rule.ts'
import type { Fact } from './rule/check.ts'
import { type Finding, strengthOf } from './verdict.ts'

/** A decision and everything it went by. */
export interface Assessment {
  decision: DecisionRecord
  /** Absent when nothing gives the tool one. */
  class?: ToolClass
  /** To be recorded with the intent; absent when nothing will want to know. */
  record?: Facts
  /** What the rules that match saw of the past. */
  facts: (Fact & { rule: string; policy: string })[]
  /** What every rule that matches says by itself, strongest first. */
  findings: {
    rule: string
    policy: string
    type: RemitRule['type']
    mode: 'Enforce' | 'Observe'
    says: 'Allow' | 'Draft' | 'Ask' | 'Deny' | 'nothing'
    detail: string
  }[]
}

/** What was decided, and the rules that match with what they found. */
export interface Weighed {
  decision: DecisionRecord
  rules: PreparedRule[]
  findings: Finding[]
}

export const assessmentOf = ({ decision, rules, findings }: Weighed): Assessment => ({
  decision,
  facts: findings.flatMap(({ rule, facts }) =>
    facts.map((fact) => ({ rule: rule.name, policy: rule.policy, ...fact })),
  ),
  findings: rules
    .map((rule) => said(rule, findings))
    .sort((a, b) => b.strength - a.strength)
    .map(({ strength: _, ...rest }) => rest),
})

const SAID = {
  invariant: 'Deny',
  error: 'Deny',
  deny: 'Deny',
  ask: 'Ask',
  draft: 'Draft',
  allow: 'Allow',
  failed: 'nothing',
} as const

function said(rule: PreparedRule, findings: Finding[]): Assessment['findings'][number] & { strength: number } {
  const { name, policy, type, mode } = rule
  const found = findings.find((finding) => finding.rule === rule)
  const silent = rule.effect === undefined ? 'it is shown not to apply' : 'a constraint is false'
  return {
    rule: name,
    policy,
    type,
    mode,
    says: found === undefined ? 'nothing' : SAID[found.strength],
    detail: found?.detail ?? silent,
    strength: found === undefined ? 0 : strengthOf(found),
  }
}
