import type { AgentIdentity, AgentPolicy, AgentRemit, ClusterAgentPolicy, OwnerGroup } from '../lib/api/gen/types.ts'
import { LABEL_AGENT } from '../lib/api/names.ts'
import type { Remit } from '../lib/api/remit.ts'
import type { Client } from '../lib/kube/client.ts'
import { createInformer } from '../lib/kube/informer.ts'
import { createIntern } from '../lib/kube/intern.ts'
import type { KubeMetrics } from '../lib/kube/metrics.ts'
import {
  agentIdentities,
  agentPolicies,
  agentRemits,
  clusterAgentPolicies,
  endpointSlices,
  legacyEvents,
  networkPolicies,
  nodes,
  ownerGroups,
  type Pod,
  pods,
  type Resource,
  resource,
  serviceAccounts,
  services,
} from '../lib/kube/resources.ts'
import { shareRemit } from '../lib/kube/share-remit.ts'
import { dropManagedFields, keepManager } from '../lib/kube/trim.ts'
import type { KubeObject, Logger } from '../lib/kube/types.ts'
import type { RuntimeClass } from './agent/world.ts'

/** One field manager for all the operator applies; never to be changed. */
export const FIELD_MANAGER = 'remit-operator'
/** Counters come from the ledger, by their own writer. */
export const FIELD_MANAGER_COUNTERS = 'remit-operator-counters'

export const runtimeClasses = resource<RuntimeClass>('node.k8s.io/v1', 'RuntimeClass', 'runtimeclasses', 'Cluster')
const typed = <T>(kind: Resource) => kind as unknown as Resource<T & KubeObject>
export const kinds = {
  agents: typed<AgentIdentity>(agentIdentities),
  policies: typed<AgentPolicy>(agentPolicies),
  clusterPolicies: typed<ClusterAgentPolicy>(clusterAgentPolicies),
  owners: typed<OwnerGroup>(ownerGroups),
  remits: typed<AgentRemit>(agentRemits),
}

/** `namespace/name` of what an AgentIdentity refers to, and `namespace/agent` of what carries the agent's label. */
const inNamespace = (object: KubeObject, name: string) => `${object.metadata.namespace}/${name}`
export const byAgent = (object: KubeObject): string[] => {
  const name = object.metadata.labels?.[LABEL_AGENT]
  return name ? [inNamespace(object, name)] : []
}
export const serviceOf = (slice: KubeObject): string[] => {
  const name = slice.metadata.labels?.['kubernetes.io/service-name']
  return name ? [inNamespace(slice, name)] : []
}

const trimNode = <T extends KubeObject>(node: T): T => {
  const { metadata, status } = node as T & { status?: { runtimeHandlers?: unknown } }
  const { name, uid, resourceVersion, labels } = metadata
  return {
    metadata: { name, uid, resourceVersion, labels },
    status: { runtimeHandlers: status?.runtimeHandlers },
  } as unknown as T
}

/** A Service's annotations and an EndpointSlice's topology are of no use here, and clusters have many of both. */
const trimService = <T extends KubeObject>(object: T): T => {
  delete object.metadata.annotations
  return dropManagedFields(object)
}

/** Of a pod what its state is told by: agents' pods are most of what a large cluster makes the operator keep. */
const trimPod = (pod: Pod): Pod => {
  const { volumes = [] } = pod.spec ?? {}
  const { phase, reason, startTime, conditions, containerStatuses, initContainerStatuses } = pod.status ?? {}
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: dropManagedFields(pod).metadata,
    // Which Secrets the kubelet may be missing.
    spec: {
      containers: [],
      volumes: volumes.filter(({ projected }) => projected?.sources?.some(({ secret }) => secret)),
    },
    status: { phase, reason, startTime, conditions, containerStatuses, initContainerStatuses },
  }
}

/** What many objects have in common is kept once, over all caches. */
const intern = createIntern()

const trimRemit = (object: AgentRemit & KubeObject): AgentRemit & KubeObject => {
  // Who got around the admission policies can have stored anything.
  const remit = object.spec?.remit as unknown as Remit | undefined
  if (remit) shareRemit(remit, intern)
  return dropManagedFields(object)
}

export interface CacheOptions {
  client: Client
  log: Logger
  metrics?: KubeMetrics
  /** How often a cache is compared with a full list; as the reflector's own when not given. */
  relistMs?: number
}

/** All the operator reads of the cluster, kept by watches; nothing is asked of the API server while it decides. */
export const createCaches = (common: CacheOptions) => {
  const ours = { ...common, labelSelector: LABEL_AGENT }
  const keep = { transform: keepManager(FIELD_MANAGER) as never }
  const caches = {
    agents: createInformer({
      ...common,
      kind: kinds.agents,
      transform: <T extends KubeObject>(object: T) => {
        const { managedFields = [] } = object.metadata
        object.metadata.managedFields = managedFields
          .filter(({ manager = '' }) => manager.startsWith(FIELD_MANAGER))
          .map((entry) => ({ ...entry, fieldsV1: intern(entry.fieldsV1) }))
        return object
      },
      indexers: {
        uid: ({ metadata }) => [metadata.uid ?? ''],
        owner: (agent) => [inNamespace(agent, agent.spec.ownerRef.name)],
        policy: (agent) => agent.spec.policyRefs.map(({ name }) => inNamespace(agent, name)),
        service: (agent) =>
          [...(agent.spec.servers ?? []), ...(agent.spec.models ?? [])].flatMap(({ service }) =>
            service ? [inNamespace(agent, service.name)] : [],
          ),
        runtimeClass: ({ spec }) => (spec.workload.runtimeClassName ? [spec.workload.runtimeClassName] : []),
      },
    }),
    policies: createInformer({ ...common, kind: kinds.policies, ...keep }),
    clusterPolicies: createInformer({ ...common, kind: kinds.clusterPolicies, ...keep }),
    owners: createInformer({ ...common, kind: kinds.owners, ...keep }),
    remits: createInformer({ ...common, kind: kinds.remits, indexers: { agent: byAgent }, transform: trimRemit }),
    pods: createInformer({ ...ours, kind: pods, indexers: { agent: byAgent }, transform: trimPod }),
    accounts: createInformer({ ...ours, kind: serviceAccounts, indexers: { agent: byAgent }, ...keep }),
    fences: createInformer({ ...ours, kind: networkPolicies, indexers: { agent: byAgent } }),
    services: createInformer({ ...common, kind: services, transform: trimService }),
    slices: createInformer({
      ...common,
      kind: endpointSlices,
      transform: trimService,
      indexers: { service: serviceOf },
    }),
    nodes: createInformer({ ...common, kind: nodes, transform: trimNode }),
    runtimeClasses: createInformer({ ...common, kind: runtimeClasses }),
    warnings: createInformer({
      ...common,
      kind: legacyEvents,
      fieldSelector: 'type=Warning,involvedObject.kind=Pod',
      indexers: { pod: (event) => [`${event.involvedObject?.namespace}/${event.involvedObject?.name}`] },
    }),
  }
  return caches
}
export type Caches = ReturnType<typeof createCaches>
