import type { PolicySpec, ToolDefinition } from '../../api/gen/types.ts'
import { checkPolicy } from '../policy-check.ts'
import { type Problem, problems } from '../problem.ts'
import { looseConstraints } from './constraints.ts'
import { missingControls } from './controls.ts'
import { looseOthers, uselessOthers } from './others.ts'
import { pinnedProblems } from './pinned.ts'
import { placesOf } from './places.ts'
import { isOutOfClass } from './reach.ts'
import { shadowed } from './shadow.ts'
import type { Warning } from './warning.ts'

export type { Warning, WarningKind } from './warning.ts'

/**
 * What is wrong with a policy before anything is asked of it. `problems` refuse it: what {@link checkPolicy} finds, and
 * rules that can never match a known tool or always err. `warnings` are what may be meant, and seldom is; there are
 * none for a policy with problems.
 *
 * @param tools what servers declare (tools/list), by the server's name; pinned definitions are known without it
 */
export function lint(
  spec: PolicySpec,
  scope: 'Namespace' | 'Cluster' = 'Namespace',
  tools: Record<string, ToolDefinition[]> = {},
): { problems: Problem[]; warnings: Warning[] } {
  const mistakes = checkPolicy(spec, scope)
  if (mistakes.length > 0) return { problems: mistakes, warnings: [] }
  const useless = [...outOfClass(spec), ...pinnedProblems(spec, tools), ...uselessOthers(spec)]
  if (useless.length > 0) return { problems: useless, warnings: [] }
  return {
    problems: [],
    warnings: [
      ...looseConstraints(spec),
      ...missingControls(spec),
      ...shadowed(spec),
      ...looseOthers(spec),
      ...unopened(spec),
    ],
  }
}

function outOfClass(spec: PolicySpec): Problem[] {
  const found = problems()
  for (const place of placesOf(spec)) {
    if (!isOutOfClass(place)) continue
    const detail = `can never match: by its own class, the tools of ${place.name} are ${place.tool?.class} or stronger`
    found.at(`${place.field}.match.classes`, place.match.classes, 'PolicyInvalid', detail, 'Remove class or classes.')
  }
  return found.list
}

function unopened({ egress }: PolicySpec): Warning[] {
  if (egress?.hosts === undefined || egress.hosts.length === 0) return []
  const detail = 'opens nothing until there is an egress gateway'
  return [{ kind: 'EgressHosts', field: 'spec.egress.hosts', detail, fix: 'Use egress.cidrs, or a declared server.' }]
}
