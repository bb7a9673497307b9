import type { CoreV1Event } from '@kubernetes/client-node/dist/gen/models/CoreV1Event.js'
import type { EventsV1Event } from '@kubernetes/client-node/dist/gen/models/EventsV1Event.js'
import type { V1APIService } from '@kubernetes/client-node/dist/gen/models/V1APIService.js'
import type { V1ConfigMap } from '@kubernetes/client-node/dist/gen/models/V1ConfigMap.js'
import type { V1CustomResourceDefinition } from '@kubernetes/client-node/dist/gen/models/V1CustomResourceDefinition.js'
import type { V1Deployment } from '@kubernetes/client-node/dist/gen/models/V1Deployment.js'
import type { V1EndpointSlice } from '@kubernetes/client-node/dist/gen/models/V1EndpointSlice.js'
import type { V1Lease } from '@kubernetes/client-node/dist/gen/models/V1Lease.js'
import type { V1MutatingWebhookConfiguration } from '@kubernetes/client-node/dist/gen/models/V1MutatingWebhookConfiguration.js'
import type { V1Namespace } from '@kubernetes/client-node/dist/gen/models/V1Namespace.js'
import type { V1NetworkPolicy } from '@kubernetes/client-node/dist/gen/models/V1NetworkPolicy.js'
import type { V1Node } from '@kubernetes/client-node/dist/gen/models/V1Node.js'
import type { V1Pod } from '@kubernetes/client-node/dist/gen/models/V1Pod.js'
import type { V1Secret } from '@kubernetes/client-node/dist/gen/models/V1Secret.js'
import type { V1Service } from '@kubernetes/client-node/dist/gen/models/V1Service.js'
import type { V1ServiceAccount } from '@kubernetes/client-node/dist/gen/models/V1ServiceAccount.js'
import type { V1SubjectAccessReview } from '@kubernetes/client-node/dist/gen/models/V1SubjectAccessReview.js'
import type { V1ValidatingAdmissionPolicy } from '@kubernetes/client-node/dist/gen/models/V1ValidatingAdmissionPolicy.js'
import type { V1ValidatingAdmissionPolicyBinding } from '@kubernetes/client-node/dist/gen/models/V1ValidatingAdmissionPolicyBinding.js'
import type { V1ValidatingWebhookConfiguration } from '@kubernetes/client-node/dist/gen/models/V1ValidatingWebhookConfiguration.js'
import type { KubeObject, ObjectMeta } from './types.ts'

/** client-node's types describe decoded objects; this is the JSON on the wire: dates are RFC 3339 strings. */
export type Wire<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [Field in keyof T]: Wire<T[Field]> }
      : T

type WireObject<T> = Wire<Omit<T, 'metadata'>> & { metadata: ObjectMeta }

export type Pod = WireObject<V1Pod>
export type ServiceAccount = WireObject<V1ServiceAccount>
export type Secret = WireObject<V1Secret>
export type ConfigMap = WireObject<V1ConfigMap>
export type Service = WireObject<V1Service>
export type EndpointSlice = WireObject<V1EndpointSlice>
export type Namespace = WireObject<V1Namespace>
export type Node = WireObject<V1Node>
export type NetworkPolicy = WireObject<V1NetworkPolicy>
export type Deployment = WireObject<V1Deployment>
export type Lease = WireObject<V1Lease>
export type Event = WireObject<EventsV1Event>
export type LegacyEvent = WireObject<CoreV1Event>
export type ApiService = WireObject<V1APIService>
export type CustomResourceDefinition = WireObject<V1CustomResourceDefinition>
export type ValidatingWebhookConfiguration = WireObject<V1ValidatingWebhookConfiguration>
export type MutatingWebhookConfiguration = WireObject<V1MutatingWebhookConfiguration>
export type ValidatingAdmissionPolicy = WireObject<V1ValidatingAdmissionPolicy>
export type ValidatingAdmissionPolicyBinding = WireObject<V1ValidatingAdmissionPolicyBinding>
export type SubjectAccessReview = WireObject<V1SubjectAccessReview>

/** Where one kind of object lives. `T` is the shape of its objects. */
export interface Resource<T extends KubeObject = KubeObject> {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  /** Never there at run time; carries `T`. */
  readonly object?: T
}

/** Describes a kind: `resource<Pod>('v1', 'Pod', 'pods')`. */
export const resource = <T extends KubeObject = KubeObject>(
  apiVersion: string,
  kind: string,
  plural: string,
  scope: 'Namespaced' | 'Cluster' = 'Namespaced',
): Resource<T> => ({ apiVersion, kind, plural, namespaced: scope === 'Namespaced' })

export interface Target {
  namespace?: string
  name?: string
  subresource?: string
}

/**
 * Path of a collection (no name), an object or a subresource. Without a namespace, a namespaced collection spans all.
 * @throws Error when a namespaced object is named without its namespace: our bug, never a request to elsewhere.
 */
export const pathOf = (kind: Resource, { namespace, name, subresource }: Target = {}): string => {
  if (kind.namespaced && name !== undefined && !namespace) throw new Error(`${kind.kind} ${name} needs a namespace`)
  const root = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`
  const parts = [root]
  if (kind.namespaced && namespace) parts.push('namespaces', segment(namespace))
  parts.push(kind.plural)
  if (name !== undefined) parts.push(segment(name))
  if (subresource) parts.push(subresource)
  return parts.join('/')
}

const segment = (value: string): string => {
  if (value === '' || value === '.' || value === '..') throw new Error('not a name of an object')
  return encodeURIComponent(value)
}

export const pods = resource<Pod>('v1', 'Pod', 'pods')
export const serviceAccounts = resource<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts')
export const secrets = resource<Secret>('v1', 'Secret', 'secrets')
export const configMaps = resource<ConfigMap>('v1', 'ConfigMap', 'configmaps')
export const services = resource<Service>('v1', 'Service', 'services')
export const endpointSlices = resource<EndpointSlice>('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices')
export const namespaces = resource<Namespace>('v1', 'Namespace', 'namespaces', 'Cluster')
export const nodes = resource<Node>('v1', 'Node', 'nodes', 'Cluster')
/** The older face of events; `kubectl get events` and the kubelet's reasons are there. */
export const legacyEvents = resource<LegacyEvent>('v1', 'Event', 'events')
export const events = resource<Event>('events.k8s.io/v1', 'Event', 'events')
export const deployments = resource<Deployment>('apps/v1', 'Deployment', 'deployments')
export const networkPolicies = resource<NetworkPolicy>('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies')
export const leases = resource<Lease>('coordination.k8s.io/v1', 'Lease', 'leases')
export const apiServices = resource<ApiService>('apiregistration.k8s.io/v1', 'APIService', 'apiservices', 'Cluster')
export const customResourceDefinitions = resource<CustomResourceDefinition>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  'Cluster',
)

const admission = 'admissionregistration.k8s.io/v1'
export const validatingWebhookConfigurations = resource<ValidatingWebhookConfiguration>(
  admission,
  'ValidatingWebhookConfiguration',
  'validatingwebhookconfigurations',
  'Cluster',
)
export const mutatingWebhookConfigurations = resource<MutatingWebhookConfiguration>(
  admission,
  'MutatingWebhookConfiguration',
  'mutatingwebhookconfigurations',
  'Cluster',
)
export const validatingAdmissionPolicies = resource<ValidatingAdmissionPolicy>(
  admission,
  'ValidatingAdmissionPolicy',
  'validatingadmissionpolicies',
  'Cluster',
)
export const validatingAdmissionPolicyBindings = resource<ValidatingAdmissionPolicyBinding>(
  admission,
  'ValidatingAdmissionPolicyBinding',
  'validatingadmissionpolicybindings',
  'Cluster',
)
export const subjectAccessReviews = resource<SubjectAccessReview>(
  'authorization.k8s.io/v1',
  'SubjectAccessReview',
  'subjectaccessreviews',
  'Cluster',
)

const remit = 'remit.dev/v1alpha1'
export const agentIdentities = resource(remit, 'AgentIdentity', 'agentidentities')
export const agentPolicies = resource(remit, 'AgentPolicy', 'agentpolicies')
export const clusterAgentPolicies = resource(remit, 'ClusterAgentPolicy', 'clusteragentpolicies', 'Cluster')
export const ownerGroups = resource(remit, 'OwnerGroup', 'ownergroups')
export const agentRemits = resource(remit, 'AgentRemit', 'agentremits')

/** The same kind with its objects typed: `typed<AgentIdentity>(agentIdentities)`. */
export const typed = <T extends KubeObject>(kind: Resource): Resource<T> => kind as Resource<T>
