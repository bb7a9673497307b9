import { lint, type Warning } from '../../lib/core/lint/lint.ts'
import type { Problem } from '../../lib/core/problem.ts'
import { readPolicies } from '../../sidecar/standalone/files.ts'
import { loadCandidate } from './load.ts'
import { RefusedPolicies } from './refused.ts'
import type { Tools } from './tools.ts'

export interface Linted {
  policies: number
  problems: Problem[]
  warnings: (Warning & { object: string })[]
}

/**
 * What is wrong with the policies of files, each by itself and then together, and what may be meant but seldom is.
 * @param now milliseconds since the epoch; the moment for which somebody must be on call
 */
export const lintFiles = (paths: string[], tools: Tools | undefined, now: number): Linted => {
  const { files, problems } = readPolicies(paths)
  const warnings: Linted['warnings'] = []
  const all = [
    ...files.policies.map((policy) => ({ policy, scope: 'Namespace' as const })),
    ...files.clusterPolicies.map((policy) => ({ policy, scope: 'Cluster' as const })),
  ]
  for (const { policy, scope } of all) {
    const object = `${policy.kind} ${policy.metadata.name}`
    const found = lint(policy.spec, scope, tools)
    problems.push(...found.problems.map((problem) => ({ ...problem, object })))
    warnings.push(...found.warnings.map((warning) => ({ ...warning, object })))
  }
  if (problems.length === 0) problems.push(...together(paths, now))
  return { policies: all.length, problems, warnings }
}

/** What is wrong with policies only when one agent obeys them all, and with who answers for it. */
function together(paths: string[], now: number): Problem[] {
  try {
    loadCandidate(paths, [], now)
    return []
  } catch (error) {
    if (error instanceof RefusedPolicies) return error.problems
    throw error
  }
}
