import type {
  AgentIdentity,
  AgentPolicy,
  AgentRemit,
  ClusterAgentPolicy,
  Freeze,
  OwnerGroup,
} from '../../lib/api/gen/types.ts'
import type { Anchor } from '../../lib/core/jws.ts'
import type {
  EndpointSlice,
  LegacyEvent,
  NetworkPolicy,
  Node,
  Pod,
  Service,
  ServiceAccount,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'

/** What this installation signs with and is trusted by; absent until the operator's own Secrets are there. */
export interface Trust {
  /** UID of the kube-system namespace. */
  cluster: string
  /** Certificate authorities of the ledger, PEM. */
  ledgerCA: string
  /** Public keys that may sign remits now. */
  anchors: Anchor[]
  /** The one that does: Ed25519, private JWK. */
  signer: { kid: string; privateKey: JsonWebKey }
}
type JsonWebKey = import('node:crypto').JsonWebKey

/** node.k8s.io/v1 RuntimeClass, as far as it is read. */
export interface RuntimeClass extends KubeObject {
  handler: string
}

/** All that a decision about one agent depends on, as the caches hold it at one moment. Never changed. */
export interface World {
  namespace: string
  name: string
  /** Milliseconds since the epoch. */
  now: number
  /** The Lease's transition count of this term. */
  epoch: number
  trust?: Trust
  /** The ledger's Service, in the system namespace. */
  ledger?: { service: Service; slices: EndpointSlice[]; namespace: string }

  agent?: AgentIdentity
  /** The last time a breaker of it opened, as the ledger says; absent also when it could not be asked. */
  freeze?: Freeze
  owner?: OwnerGroup
  /** Those of `spec.policyRefs` that exist. */
  policies: AgentPolicy[]
  clusterPolicies: ClusterAgentPolicy[]
  /** Of the agent's namespace, by name. */
  services: Map<string, { service: Service; slices: EndpointSlice[] }>
  nodes: Node[]
  runtimeClasses: RuntimeClass[]

  /** What carries the agent's label, whoever's UID it has. */
  pods: Pod[]
  accounts: ServiceAccount[]
  fences: NetworkPolicy[]
  remits: AgentRemit[]
  /** The kubelet's warnings about those pods. */
  warnings: LegacyEvent[]
}
