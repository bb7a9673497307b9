import type { AgentRemit } from '../../lib/api/gen/types.ts'
import type { Remit } from '../../lib/api/remit.ts'
import { isForbidden, isNotFound } from '../../lib/kube/errors.ts'
import { get } from '../../lib/kube/objects.ts'
import { agentRemits, typed } from '../../lib/kube/resources.ts'
import type { Cluster } from '../context.ts'

/** The remit an agent has now; undefined when it has none, or the caller may not see it. */
export const remitInForce = async ({ client, namespace }: Cluster, name: string): Promise<Remit | undefined> => {
  try {
    const found = await get(client, typed<AgentRemit>(agentRemits), { namespace, name })
    return found.spec.remit as unknown as Remit
  } catch (error) {
    if (isNotFound(error) || isForbidden(error)) return undefined
    throw error
  }
}

/** "payments/billing" of each policy that a remit was compiled from; those of the cluster are "cluster/floor". */
export const policiesOf = ({ sources }: Remit): string[] =>
  sources
    .filter(({ kind }) => kind === 'AgentPolicy' || kind === 'ClusterAgentPolicy')
    .map(({ kind, namespace, name }) => `${kind === 'ClusterAgentPolicy' ? 'cluster' : namespace}/${name}`)

/**
 * What an agent's remit would be with the candidate's policies in place of those of the same names: the agent's other
 * policies and those of the cluster bind a new one too.
 */
export const withCandidate = (inForce: Remit, candidate: Remit): Remit => {
  const replaced = new Set(policiesOf(candidate))
  const others = <E extends { policy: string }>(entries: E[] = []): E[] =>
    entries.filter(({ policy }) => !replaced.has(policy))
  return {
    ...candidate,
    owner: inForce.owner,
    rules: [...others(inForce.rules), ...candidate.rules],
    pins: [...others(inForce.pins), ...(candidate.pins ?? [])],
    redactions: [...others(inForce.redactions), ...(candidate.redactions ?? [])],
    breakers: [...others(inForce.breakers), ...(candidate.breakers ?? [])],
  }
}
