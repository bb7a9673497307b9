import type { Remit } from '../../lib/api/remit.ts'
import { readPolicies } from '../../sidecar/standalone/files.ts'
import { compiled } from '../policy/compiled.ts'
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
  return compiled({ ...files, policies }, [], now)
}
