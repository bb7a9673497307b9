import type { ToolClass, ToolDefinition } from '../api/gen/types.ts'
import { annotatedClass, classOf } from './class.ts'
import { isToolName } from './glob.ts'
import { fitsClass } from './match.ts'
import { pinProblem } from './pin.ts'
import { type PreparedRemit, type PreparedRule, rulesFor } from './prepare.ts'

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
  // As in decide(): what a server says of its tool must not lead out of what restricts the class that rules give it.
  const classes = new Set([classOf(given, undefined), classOf(given, annotatedClass(definition))])
  return [...classes].every((cls) => couldPass(prepared, named, cls))
}

function couldPass(prepared: PreparedRemit, named: PreparedRule[], cls: ToolClass | undefined): boolean {
  const rules = named.filter(
    (rule) => rule.mode === 'Enforce' && fitsClass(rule.match, cls, rule.type !== 'tool' || rule.effect === 'Deny'),
  )
  const never = rules.some(
    (rule) => rule.constraints.length === 0 && (rule.type === 'invariant' || rule.effect === 'Deny'),
  )
  if (never) return false
  return prepared.remit.observing === true || rules.some((rule) => rule.type === 'tool' && rule.effect !== 'Deny')
}
