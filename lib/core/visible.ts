import { isToolName } from './glob.ts'
import type { PreparedRemit } from './prepare.ts'

/** Whether some call of the tool could be allowed or wait for a person; a tool none of whose calls can is not listed. */
export function visible(prepared: PreparedRemit, server: string, tool: string): boolean {
  if (prepared.remit.suspended || !prepared.servers.has(server) || !isToolName(tool)) return false
  const rules = prepared.rules.filter((rule) => rule.mode === 'Enforce' && rule.matches(server, tool))
  const never = rules.some(
    (rule) => rule.constraints.length === 0 && (rule.type === 'invariant' || rule.effect === 'Deny'),
  )
  if (never) return false
  return prepared.remit.observing === true || rules.some((rule) => rule.type === 'tool' && rule.effect !== 'Deny')
}
