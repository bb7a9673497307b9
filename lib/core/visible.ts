import type { ToolDefinition } from '../api/gen/types.ts'
import { annotatedClass, withAnnotations } from './class.ts'
import { isToolName } from './glob.ts'
import { fitsWhole } from './match.ts'
import { pinProblem } from './pin.ts'
import { type PreparedRemit, rulesFor } from './prepare.ts'
import { fitsRule } from './prepare-rule.ts'

/**
 * Whether some call of the tool could be allowed, drafted or wait for a person; a tool none of whose calls can is not
 * listed.
 * @param definition as the server declares it now
 */
export function visible(prepared: PreparedRemit, server: string, tool: string, definition?: ToolDefinition): boolean {
  if (prepared.remit.suspended || !prepared.servers.has(server) || !isToolName(tool)) return false
  const pins = prepared.pins.filter((pin) => pin.server === server && pin.mode === 'Enforce')
  if (pinProblem(pins, tool, definition) !== undefined) return false
  const byRules = prepared.ruleClass(server, tool)
  const classes = { byRules, cls: withAnnotations(byRules, annotatedClass(definition)) }
  const rules = rulesFor(prepared, server, tool).filter((rule) => rule.mode === 'Enforce' && fitsRule(rule, classes))
  const never = rules.some(
    (rule) => rule.constraints.length === 0 && (rule.type === 'invariant' || rule.effect === 'Deny'),
  )
  if (never) return false
  return (
    prepared.remit.observing === true ||
    rules.some((rule) => rule.type === 'tool' && rule.effect !== 'Deny' && fitsWhole(rule.match, classes))
  )
}
