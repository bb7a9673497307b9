import type { AgentIdentity, OwnerGroup, ToolClass, ToolRule } from '../api/gen/types.ts'
import type { RemitRule } from '../api/remit.ts'

/** Limits of a side effect whose rule has none: far above what a person would call by hand, far below a runaway. */
const SIDE_EFFECT_LIMITS: NonNullable<ToolRule['limits']> = [
  { per: '1m', calls: 60 },
  { per: '24h', calls: 1000 },
]

/** What a rule without `effect` does, by its class and the controls it has written down. */
function defaultEffect(rule: ToolRule): NonNullable<ToolRule['effect']> {
  const { class: cls, fields, object, limits } = rule
  if (cls === 'Read') return 'Allow'
  if (cls === 'Draft') return 'Draft'
  if (cls === 'Write') return fields !== undefined && object !== undefined ? 'Allow' : 'Ask'
  if (cls === 'SideEffect') return limits === undefined ? 'Ask' : 'Allow'
  return cls === 'Autonomous' ? 'Allow' : 'Deny'
}

/** The rule with the controls of its class filled in where it does not say: what a remit carries. */
export function withControls(rule: ToolRule): ToolRule {
  const effect = rule.effect ?? defaultEffect(rule)
  const unlimited = rule.class === 'SideEffect' && effect === 'Allow' && rule.limits === undefined
  return { ...rule, effect, ...(unlimited ? { limits: SIDE_EFFECT_LIMITS } : {}) }
}

/** Every class but Read: what the read-only floor keeps an agent from. */
const ABOVE_READ: ToolClass[] = ['Draft', 'Write', 'SideEffect', 'Autonomous']

/** `readOnly: true` as the invariant it is. */
export const readOnlyRule = (common: { policy: string; mode: 'Enforce' | 'Observe' }): RemitRule => ({
  ...common,
  type: 'invariant',
  name: 'read-only',
  match: { classes: ABOVE_READ },
})

/** What autonomous work needs and this agent lacks: each with what to write. */
export function lackingControls(
  agent: AgentIdentity,
  owner: OwnerGroup,
  breakers: unknown[],
): { what: string; fix: string }[] {
  const { onCall } = owner.spec
  const rotates = onCall.rotation !== undefined || onCall.ical !== undefined || onCall.pagerDuty !== undefined
  return [
    ...(agent.spec.runbook === undefined
      ? [
          {
            what: 'a runbook',
            fix: 'Give the AgentIdentity a spec.runbook: the link people follow when it goes wrong.',
          },
        ]
      : []),
    ...(breakers.length === 0
      ? [{ what: 'a breaker', fix: 'Give one of its policies a breaker, such as {errors: 5, denials: 10}.' }]
      : []),
    ...(rotates
      ? []
      : [
          {
            what: 'an owner group with a rotation',
            fix: `Give the OwnerGroup ${owner.metadata.name} a rotation instead of one owner.`,
          },
        ]),
  ]
}
