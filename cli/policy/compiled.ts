import type { Remit, RemitServer } from '../../lib/api/remit.ts'
import { compileFiles } from '../../sidecar/standalone/compile.ts'
import type { PolicyFiles } from '../../sidecar/standalone/files.ts'
import { RefusedPolicies } from './refused.ts'

/**
 * The remit of policy files that is asked and never enforced, so that it names no people.
 * @param now milliseconds since the epoch; the moment for which somebody must be on call
 * @throws RefusedPolicies
 */
export const compiled = (files: PolicyFiles, servers: RemitServer[], now: number): Remit => {
  const result = compileFiles({
    files,
    servers,
    models: [],
    owner: 'the person on call',
    user: 'you',
    at: now,
    startedAt: now,
  })
  if ('problems' in result) throw new RefusedPolicies(result.problems)
  return result.remit
}
