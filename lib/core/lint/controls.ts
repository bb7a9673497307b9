import type { PolicySpec } from '../../api/gen/types.ts'
import { withControls } from '../controls.ts'
import type { Warning } from './warning.ts'

/** Rules that let tools run without the controls that belong to their class. */
export function missingControls({ tools = [], breaker }: PolicySpec): Warning[] {
  return tools.flatMap((rule, index): Warning[] => {
    const field = `spec.tools[${index}]`
    if (withControls(rule).effect !== 'Allow') return []
    if (rule.class === 'Write') {
      const lacks = (['fields', 'object'] as const).filter((key) => rule[key] === undefined)
      if (lacks.length === 0) return []
      const detail = `${rule.name} lets a Write run without ${lacks.join(' and ')}`
      const fix =
        'List the arguments under fields, and say under object what it changes, so that the change is recorded.'
      return [{ kind: 'WriteUncontrolled', field, detail, fix }]
    }
    if (rule.class === 'SideEffect' && rule.limits === undefined) {
      const detail = `${rule.name} has no limits of its own: 60 calls in 1m and 1000 in 24h apply`
      return [{ kind: 'DefaultLimits', field, detail, fix: 'Write limits: [{per: 24h, calls: 20}], or what fits.' }]
    }
    if (rule.class === 'Autonomous' && breaker === undefined) {
      const detail = `${rule.name} lets autonomous work run, and this policy has no breaker`
      return [{ kind: 'NoBreaker', field, detail, fix: 'Add breaker: {errors: 5, denials: 10} to the policy.' }]
    }
    return []
  })
}
