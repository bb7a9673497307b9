import type { AgentPolicy, ClusterAgentPolicy } from '../../lib/api/gen/types.ts'
import type { Remit } from '../../lib/api/remit.ts'
import { readPolicies } from '../../sidecar/standalone/files.ts'
import { compiled } from './compiled.ts'
import { RefusedPolicies } from './refused.ts'

export interface Candidate {
  /** Compiled as if every policy were enforced: what is asked is what the policies say. */
  remit: Remit
  /** Names of those that only observe, as written. */
  observing: string[]
}

/** Where the servers of a candidate would be dialled; nothing ever is. */
const NOWHERE = 'http://127.0.0.1:9/mcp'
const SERVER = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

const enforced = <P extends AgentPolicy | ClusterAgentPolicy>({ metadata, spec, ...policy }: P, namespace?: string) =>
  ({
    ...policy,
    metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) },
    spec: { ...spec, mode: 'Enforce' },
  }) as P

/**
 * The remit that policy files make for an agent with these servers. A name that no server can have is left out, so that
 * its calls are denied as the gate denies them.
 * @param now milliseconds since the epoch; the moment for which somebody must be on call
 * @param namespace instead of that of the files
 * @throws RefusedPolicies
 */
export const loadCandidate = (
  paths: string[],
  servers: Iterable<string>,
  now: number,
  namespace?: string,
): Candidate => {
  const { files, problems } = readPolicies(paths)
  if (problems.length === 0 && files.policies.length + files.clusterPolicies.length === 0)
    problems.push({
      object: paths.join(', '),
      field: 'kind',
      code: 'PolicyInvalid',
      detail: 'no policy',
      fix: 'Give a file with kind: AgentPolicy.',
    })
  if (problems.length > 0) throw new RefusedPolicies(problems)
  const all = [...files.policies, ...files.clusterPolicies]
  const remit = compiled(
    {
      ...files,
      policies: files.policies.map((policy) => enforced(policy, namespace)),
      clusterPolicies: files.clusterPolicies.map((policy) => enforced(policy)),
    },
    [...new Set(servers)].filter((name) => SERVER.test(name)).map((name) => ({ name, url: NOWHERE })),
    now,
  )
  const observing = all.filter(({ spec }) => spec.mode === 'Observe').map(({ metadata }) => metadata.name)
  return { remit, observing }
}
