import type { Remit } from '../../lib/api/remit.ts'
import { compileFiles } from '../../sidecar/standalone/compile.ts'
import { readPolicies } from '../../sidecar/standalone/files.ts'
import { RefusedPolicies } from '../policy/refused.ts'

/** Two policies of one name are the same one, wherever a file says it lives. */
const NAMESPACE = 'default'

/**
 * The remit that policy files make, as it would be enforced: a policy in mode Observe decides nothing.
 * @param now milliseconds since the epoch; the moment for which somebody must be on call
 * @throws RefusedPolicies
 */
export function loadRemit(paths: string[], now: number): Remit {
  const { files, problems } = readPolicies(paths)
  if (problems.length > 0) throw new RefusedPolicies(problems)
  const policies = files.policies.map((policy) => ({
    ...policy,
    metadata: { ...policy.metadata, namespace: NAMESPACE },
  }))
  const result = compileFiles({
    files: { ...files, policies },
    servers: [],
    models: [],
    owner: 'the person on call',
    user: 'you',
    at: now,
    startedAt: now,
  })
  if ('problems' in result) throw new RefusedPolicies(result.problems)
  return result.remit
}
