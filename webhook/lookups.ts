import type { AgentIdentity, OwnerGroup } from '../lib/api/gen/types.ts'
import type { SidecarSettings } from '../lib/core/pod/inject.ts'
import type { NetworkPolicyShape } from '../lib/core/pod/opens-agents.ts'
import type { Subject } from '../lib/kube/subject-access.ts'

/**
 * What a review may ask about the cluster. `fresh` goes past every cache: what a cache lacks may have been created a
 * moment ago by the same `kubectl apply`.
 */
export interface Lookups {
  agent(namespace: string, name: string): Promise<AgentIdentity | undefined>
  policyExists(namespace: string, name: string): Promise<boolean>
  ownerGroup(namespace: string, name: string, fresh?: boolean): Promise<OwnerGroup | undefined>
  /** SubjectAccessReview: verb `use` on agentpolicies/<name>. */
  mayUse(user: Subject, namespace: string, policy: string): Promise<boolean>
  /** SubjectAccessReview: verb `get` on secrets/<name>. */
  mayReadSecret(user: Subject, namespace: string, name: string): Promise<boolean>
  networkPolicies(namespace: string): Promise<NetworkPolicyShape[]>
  /** @throws UserError NotReady while the operator has not published what sidecars trust. */
  sidecar(): Promise<SidecarSettings>
}
