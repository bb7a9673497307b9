/** Object metadata, as far as Remit reads it. */
export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean; blockOwnerDeletion?: boolean }[]
  managedFields?: unknown[]
}
export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  lastTransitionTime: string
  observedGeneration?: number
}
interface KubeObject<K extends string> {
  apiVersion: 'remit.dev/v1alpha1'
  kind: K
  metadata: ObjectMeta
}

export interface AgentIdentity extends KubeObject<'AgentIdentity'> {
  spec: AgentIdentitySpec
  status?: AgentIdentityStatus
}
export interface AgentIdentitySpec {
  purpose?: string
  ownerRef: { name: string }
  policyRefs: { name: string }[]
  workload: Workload
  servers?: Server[]
  models?: Model[]
  runbook?: string
  task?: string
  suspended?: boolean
  expiresAt?: string
  createdBy: Stamp
}
/** Who asked, as the API server saw it; set on CREATE by the webhook, immutable. */
export interface Stamp {
  username: string
  uid?: string
  groups?: string[]
  at: string
}
export interface Workload {
  image: string
  imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
  imagePullSecrets?: { name: string }[]
  command?: string[]
  args?: string[]
  workingDir?: string
  env?: EnvVar[]
  resources?: { requests?: Record<string, string | number>; limits?: Record<string, string | number> }
  volumes?: Volume[]
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[]
  runtimeClassName?: string
  runAsUser?: number
  nodeSelector?: Record<string, string>
  tolerations?: { key?: string; operator?: string; value?: string; effect?: string; tolerationSeconds?: number }[]
  priorityClassName?: string
  terminationGracePeriodSeconds?: number
}
export interface EnvVar {
  name: string
  value?: string
  valueFrom?: { configMapKeyRef?: { name: string; key: string; optional?: boolean }; fieldRef?: { fieldPath: string } }
}
export interface Volume {
  name: string
  emptyDir?: { medium?: '' | 'Memory'; sizeLimit?: string | number }
  configMap?: { name: string; items?: { key: string; path: string; mode?: number }[]; optional?: boolean; defaultMode?: number }
  persistentVolumeClaim?: { claimName: string; readOnly?: boolean }
}
export interface SecretKeyRef {
  name: string
  key: string
}
export interface ServiceRef {
  name: string
  port: number
  path?: string
  scheme?: 'http' | 'https'
}
/** Exactly one of `service` | `url`. */
export interface Server {
  name: string
  service?: ServiceRef
  url?: string
  address?: string
  transport?: 'StreamableHTTP'
  credentialRef?: SecretKeyRef
  credentialHeader?: string
}
export interface Model {
  name: string
  service?: ServiceRef
  url?: string
  address?: string
  credentialRef?: SecretKeyRef
  credentialHeader?: string
  /** Which SDK variables the agent gets. */
  api?: 'OpenAI' | 'Anthropic'
}
export interface AgentIdentityStatus {
  observedGeneration?: number
  agentID?: string
  phase?: string
  onCall?: string
  policy?: string
  remit?: { digest: string; generation: number }
  calls?: number
  denied?: number
  lastAction?: string
  restarts?: number
  podName?: string
  conditions?: Condition[]
}

export interface AgentPolicy extends KubeObject<'AgentPolicy'> {
  spec: PolicySpec
  status?: PolicyStatus
}
export interface ClusterAgentPolicy extends KubeObject<'ClusterAgentPolicy'> {
  spec: PolicySpec
  status?: PolicyStatus
}
export interface PolicyStatus {
  observedGeneration?: number
  agents?: number
  conditions?: Condition[]
}
export interface PolicySpec {
  mode?: 'Enforce' | 'Observe'
  tools?: ToolRule[]
  guards?: RestrictingRule[]
  invariants?: RestrictingRule[]
  egress?: { cidrs?: { cidr: string; ports?: number[] }[]; hosts?: string[] }
}
export interface Match {
  servers?: string[]
  tools?: string[]
  classes?: ToolClass[]
}
export type ToolClass = 'Read' | 'Draft' | 'Write' | 'SideEffect' | 'Autonomous'
export interface ToolRule {
  name: string
  match: Match
  class?: ToolClass
  effect: 'Allow' | 'Draft' | 'Ask' | 'Deny'
  where?: Constraint[]
  otherwise?: 'Ask' | 'Draft' | 'Deny'
  limits?: Limit[]
  evidence?: Evidence[]
}
/** A guard or an invariant: fires unless all of `unless` are shown true. */
export interface RestrictingRule {
  name: string
  match: Match
  unless?: Constraint[]
}
export type Scalar = string | number | boolean
/** Exactly one operator. */
export interface Constraint {
  arg?: string
  equals?: Scalar
  in?: Scalar[]
  notIn?: Scalar[]
  prefix?: string
  suffix?: string
  min?: string
  max?: string
  required?: boolean
  absent?: boolean
  cidr?: string
  pattern?: string
  subsetOf?: Scalar[]
  minItems?: number
  maxItems?: number
  cel?: string
  not?: Omit<Constraint, 'arg' | 'not' | 'optional'>
  optional?: boolean
}
export interface Limit {
  per?: string
  calls?: number
  sum?: string
  max?: string
  distinct?: string
  concurrent?: number
}
export interface Evidence {
  tool: string
  within?: string
  same?: Record<string, string>
}

export interface OwnerGroup extends KubeObject<'OwnerGroup'> {
  spec: OwnerGroupSpec
  status?: OwnerGroupStatus
}
export interface OwnerGroupSpec {
  members: Member[]
  onCall: OnCall
  fallback?: string[]
}
export interface Member {
  name: string
  identities?: { kind: 'User' | 'Group'; name: string }[]
  contacts?: { email?: string; slack?: string; phone?: string; url?: string }
}
/** Exactly one of `owner` | `rotation` (| `ical` | `pagerDuty`, which this version refuses). */
export interface OnCall {
  owner?: string
  rotation?: Rotation
}
export interface Rotation {
  timeZone: string
  /** Local date-time of the first hand-over, without offset: "2026-10-05T09:00". */
  start: string
  every: { count?: number; unit: 'Hour' | 'Day' | 'Week' }
  order: string[][]
}
export interface OwnerGroupStatus {
  observedGeneration?: number
  onCall?: string
  onCallSince?: string
  onCallUntil?: string
  conditions?: Condition[]
}

export interface AgentRemit extends KubeObject<'AgentRemit'> {
  spec: { remit: Record<string, unknown>; signature: string }
}
