import { agentObjectName, SERVICE_LEDGER } from '../../lib/api/names.ts'
import type { Service } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { Caches } from '../caches.ts'
import type { Freezes } from '../freezes.ts'
import { STAND_IN } from './fence-plan.ts'
import type { Trust, World } from './world.ts'

export interface GatherOptions {
  caches: Caches
  systemNamespace: string
  epoch: number
  trust: () => Trust | undefined
  freezes: Pick<Freezes, 'get'>
  now: () => number
}

/** The world of one agent, from caches alone. */
export const gather = (options: GatherOptions, namespace: string, name: string): World => {
  const { caches, systemNamespace, epoch, trust, now } = options
  const key = `${namespace}/${name}`
  const agent = caches.agents.cache.get(key)
  const withSlices = (of: string, service: Service | undefined) =>
    service ? { service, slices: caches.slices.cache.byIndex('service', of) } : undefined
  const found = [...(agent?.spec.servers ?? []), ...(agent?.spec.models ?? [])].flatMap((entry) => {
    const of = `${namespace}/${entry.service?.name ?? ''}`
    const both = entry.service && withSlices(of, caches.services.cache.get(of))
    return both ? [[entry.service!.name, both] as const] : []
  })
  const ledgerKey = `${systemNamespace}/${SERVICE_LEDGER}`
  const ledger = withSlices(ledgerKey, caches.services.cache.get(ledgerKey))
  // Anyone may put an agent's label on what they make; by these names nobody but the operator makes anything. Somebody
  // else's is not ours to remove, and one that cannot be removed must not keep this agent from being looked after.
  const ours = <T extends KubeObject>({ metadata }: T) =>
    [agentObjectName(name), agentObjectName(name) + STAND_IN].includes(metadata.name)
  const pods = caches.pods.cache.byIndex('agent', key)
  const remit = caches.remits.cache.get(key)
  return {
    namespace,
    name,
    now: now(),
    epoch,
    trust: trust(),
    ledger: ledger && { ...ledger, namespace: systemNamespace },
    agent,
    freeze: options.freezes.get(agent?.metadata.uid ?? ''),
    owner: agent && caches.owners.cache.get(`${namespace}/${agent.spec.ownerRef.name}`),
    policies: (agent?.spec.policyRefs ?? []).flatMap(
      (ref) => caches.policies.cache.get(`${namespace}/${ref.name}`) ?? [],
    ),
    clusterPolicies: caches.clusterPolicies.cache.list(),
    services: new Map(found),
    nodes: caches.nodes.cache.list(),
    runtimeClasses: caches.runtimeClasses.cache.list(),
    pods,
    accounts: caches.accounts.cache.byIndex('agent', key).filter(ours),
    fences: caches.fences.cache.byIndex('agent', key).filter(ours),
    remits: remit ? [remit] : [],
    warnings: pods.flatMap(({ metadata }) => caches.warnings.cache.byIndex('pod', `${namespace}/${metadata.name}`)),
  }
}
