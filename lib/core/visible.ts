import type { ToolDefinition } from '../api/gen/types.ts'
import { annotatedClass, classOf } from './class.ts'
import { isToolName } from './glob.ts'
import { fitsClass } from './match.ts'
import { pinProblem } from './pin.ts'
import { type PreparedRemit, rulesFor } from './prepare.ts'

/**
 * Whether some call of the tool could be allowed, drafted or wait for a person; a tool none of whose calls can is not
 * listed.
 * @param definition as the server declares it now
 */
export function visible(prepared: PreparedRemit, server: string, tool: string, definition?: ToolDefinition): boolean {
  if (prepared.remit.suspended || !prepared.servers.has(server) || !isToolName(tool)) return false
  const pins = prepared.pins.filter((pin) => pin.server === server && pin.mode === 'Enforce')
  if (pinProblem(pins, tool, definition) !== undefined) return false
  const named = rulesFor(prepared, server, tool)
  const given = named.flatMap((rule) =>
    rule.class === undefined || rule.match.classes !== undefined ? [] : [rule.class],
  )
  const cls = classOf(given, annotatedClass(definition))
  const rules = named.filter(
    (rule) => rule.mode === 'Enforce' && fitsClass(rule.match, cls, rule.type !== 'tool' || rule.effect === 'Deny'),
  )
  const never = rules.some(
    (rule) => rule.constraints.length === 0 && (rule.type === 'invariant' || rule.effect === 'Deny'),
  )
  if (never) return false
  return prepared.remit.observing === true || rules.some((rule) => rule.type === 'tool' && rule.effect !== 'Deny')
}
