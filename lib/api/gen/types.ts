// Generated from crds/ by `npm run gen`; change those instead.

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
  managedFields?: object[]
}
interface KubeObject<K extends string> {
  apiVersion: 'remit.dev/v1alpha1'
  kind: K
  metadata: ObjectMeta
}
export type Scalar = string | number | boolean

/** What the agent is, may use and answers to. */
export interface AgentIdentitySpec {
  /** What the agent is for, in a sentence people read at 2 a.m. Such as "Answers refund requests under 50 EUR". */
  purpose?: string
  /** The OwnerGroup whose people answer for this agent, in the same namespace. */
  ownerRef: OwnerRef
  /**
   * The AgentPolicies that bound this agent, in the same namespace. Who sets this needs the verb use on each of them.
   */
  policyRefs: PolicyRef[]
  /**
   * The MCP servers the agent may reach, each at http://127.0.0.1:7480/mcp/<name> in its pod. What it may call there is
   * for the policies.
   */
  servers?: Server[]
  /** The models' APIs the agent may reach, each at http://127.0.0.1:7480/llm/<name> in its pod. */
  models?: Model[]
  /** What runs as the agent. It can name no Secret; credentials belong to servers and models. */
  workload: Workload
  /** A link to what the person on call should know, such as https://wiki.corp.example/billing-bot. */
  runbook?: string
  /** The task this agent was started for, such as TICKET-4711. In every receipt. */
  task?: string
  /** Whether the agent is stopped. Its pod is removed and every call is denied; false starts it again. */
  suspended?: boolean
  /** When the agent ends, such as "2027-01-31T00:00:00Z". Then its pod is removed and every call is denied. */
  expiresAt?: string
  /**
   * Who created the agent, as the API server saw it. Set by Remit's webhook, whatever the request says; leave it out.
   * Never changes.
   */
  createdBy: Stamp
  /**
   * A freeze from before this time is lifted, such as "2026-11-21T02:14:00Z". Set to now by kubectl remit unfreeze,
   * once somebody has looked at why a breaker opened; at most a minute in the future.
   */
  unfrozenAt?: string
  /**
   * Who set unfrozenAt, as the API server saw them. Set by Remit's webhook, whatever the request says; leave it out.
   */
  unfrozenBy?: Stamp
}

/** The OwnerGroup whose people answer for this agent, in the same namespace. */
export interface OwnerRef {
  /** Its metadata.name. */
  name: string
}

/** One AgentPolicy. */
export interface PolicyRef {
  /** Its metadata.name. */
  name: string
}

/** One MCP server. Exactly one of service and url. */
export interface Server {
  /** What policies, receipts and the path on loopback call it, such as billing. */
  name: string
  /** A Service in the agent's namespace. The agent's NetworkPolicy is opened to its backing pods. */
  service?: ServiceRef
  /**
   * Where it is, such as https://mcp.corp.example/mcp with address: 192.0.2.10, or http://192.0.2.10:8080/mcp. The host
   * is an IP address unless address is given, for agent pods have no DNS.
   */
  url?: string
  /** The IP address of url's host, such as 192.0.2.10; the port is url's. TLS checks the name in url. */
  address?: string
  /** How MCP is spoken; StreamableHTTP is what the protocol's current versions define. Default: StreamableHTTP. */
  transport?: 'StreamableHTTP'
  /** A key of a Secret in the agent's namespace that the sidecar sends along. The agent's container cannot read it. */
  credentialRef?: SecretKeyRef
  /**
   * The header the credential is sent in. Authorization, as "Bearer <credential>", when left out (for a model with api
   * Anthropic: x-api-key); any other header carries the bare credential.
   */
  credentialHeader?: string
}

/** A Service in the agent's namespace. The agent's NetworkPolicy is opened to its backing pods. */
export interface ServiceRef {
  /** Its metadata.name. */
  name: string
  /** The Service's port, such as 8080. */
  port: number
  /** The path of the endpoint, such as /mcp. "/" when left out. */
  path?: string
  /** http or https. Default: http. */
  scheme?: 'http' | 'https'
}

/** A key of a Secret in the agent's namespace that the sidecar sends along. The agent's container cannot read it. */
export interface SecretKeyRef {
  /** Its metadata.name. */
  name: string
  /** The key under data, such as token. */
  key: string
}

/** One model's API. Exactly one of service and url. */
export interface Model {
  /** What policies, receipts and the path on loopback call it, such as billing. */
  name: string
  /** A Service in the agent's namespace. The agent's NetworkPolicy is opened to its backing pods. */
  service?: ServiceRef
  /**
   * Where it is, such as https://mcp.corp.example/mcp with address: 192.0.2.10, or http://192.0.2.10:8080/mcp. The host
   * is an IP address unless address is given, for agent pods have no DNS.
   */
  url?: string
  /** The IP address of url's host, such as 192.0.2.10; the port is url's. TLS checks the name in url. */
  address?: string
  /** A key of a Secret in the agent's namespace that the sidecar sends along. The agent's container cannot read it. */
  credentialRef?: SecretKeyRef
  /**
   * The header the credential is sent in. Authorization, as "Bearer <credential>", when left out (for a model with api
   * Anthropic: x-api-key); any other header carries the bare credential.
   */
  credentialHeader?: string
  /**
   * Whose API it speaks. The first model of each sets OPENAI_BASE_URL or ANTHROPIC_BASE_URL in the agent's container.
   * Default: OpenAI.
   */
  api?: 'OpenAI' | 'Anthropic'
}

/** What runs as the agent. It can name no Secret; credentials belong to servers and models. */
export interface Workload {
  /** The image, best by digest, such as registry.example/billing-bot@sha256:... */
  image: string
  /** As in a pod: Always, IfNotPresent or Never. */
  imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
  /** Secrets the node pulls the image with; no container sees them. */
  imagePullSecrets?: ImagePullSecret[]
  /** What is run instead of the image's entrypoint. */
  command?: string[]
  /** Its arguments. */
  args?: string[]
  /** The folder it starts in. */
  workingDir?: string
  /**
   * Environment variables. Remit adds REMIT_AGENT_ID, REMIT_MCP_URL, REMIT_MCP_<SERVER> and the models' SDK variables.
   */
  env?: EnvVar[]
  /** Compute resources of the agent's container, as in a pod. */
  resources?: Resources
  /** Volumes of the pod that the agent's container may mount. */
  volumes?: Volume[]
  /** Where volumes appear in the agent's container. */
  volumeMounts?: VolumeMount[]
  /** The RuntimeClass the pod runs in, such as gvisor. */
  runtimeClassName?: string
  /** The user ID the agent's container runs as, never 0. 65532 when left out. */
  runAsUser?: number
  /** Labels a node must have, such as {kubernetes.io/arch: amd64}. */
  nodeSelector?: Record<string, string>
  /** Taints of nodes the pod puts up with, as in a pod. */
  tolerations?: Toleration[]
  /** The pod's PriorityClass. */
  priorityClassName?: string
  /** How many seconds the agent has to end by itself. 30 when left out. */
  terminationGracePeriodSeconds?: number
}

/** One Secret in the agent's namespace. */
export interface ImagePullSecret {
  /** Its metadata.name. */
  name: string
}

/** One variable. A value from a Secret is refused. */
export interface EnvVar {
  /** Its name. Names that begin with REMIT_ are Remit's own. */
  name: string
  /** Its value. */
  value?: string
  /** Where its value comes from. Exactly one of configMapKeyRef and fieldRef. */
  valueFrom?: EnvVarSource
}

/** Where its value comes from. Exactly one of configMapKeyRef and fieldRef. */
export interface EnvVarSource {
  /** A key of a ConfigMap in the agent's namespace. */
  configMapKeyRef?: ConfigMapKeyRef
  /** A field of the agent's pod. */
  fieldRef?: FieldRef
}

/** A key of a ConfigMap in the agent's namespace. */
export interface ConfigMapKeyRef {
  /** Its metadata.name. */
  name: string
  /** The key under data. */
  key: string
  /** Whether the agent may start without it. */
  optional?: boolean
}

/** A field of the agent's pod. */
export interface FieldRef {
  /** As in a pod, such as metadata.namespace. */
  fieldPath: string
}

/** Compute resources of the agent's container, as in a pod. */
export interface Resources {
  /** What it is sure to get, such as {cpu: 100m, memory: 128Mi}. */
  requests?: Record<string, string | number>
  /** What it can use at most, such as {memory: 256Mi}. */
  limits?: Record<string, string | number>
}

/** One volume. Exactly one of emptyDir, configMap and persistentVolumeClaim; others are refused. */
export interface Volume {
  /** Its name. Names that begin with remit- are Remit's own. */
  name: string
  /** An empty folder that lives as long as the pod. */
  emptyDir?: EmptyDir
  /** A ConfigMap of the agent's namespace as files. */
  configMap?: ConfigMapVolume
  /** A claim in the agent's namespace. */
  persistentVolumeClaim?: PersistentVolumeClaimVolume
}

/** An empty folder that lives as long as the pod. */
export interface EmptyDir {
  /** Memory for one in RAM. */
  medium?: '' | 'Memory'
  /** How much it can hold, such as 1Gi. */
  sizeLimit?: string | number
}

/** A ConfigMap of the agent's namespace as files. */
export interface ConfigMapVolume {
  /** Its metadata.name. */
  name: string
  /** Which keys, and under which paths. All when left out. */
  items?: KeyToPath[]
  /** Whether the agent may start without it. */
  optional?: boolean
  /** Permission bits of the files, 420 (0644) when left out. */
  defaultMode?: number
}

/** One key as a file. */
export interface KeyToPath {
  /** The key under data. */
  key: string
  /** The file, relative, without "..". */
  path: string
  /** Its permission bits. */
  mode?: number
}

/** A claim in the agent's namespace. */
export interface PersistentVolumeClaimVolume {
  /** Its metadata.name. */
  claimName: string
  /** Whether it is mounted for reading only. */
  readOnly?: boolean
}

/** One mount. */
export interface VolumeMount {
  /** The name of one of volumes. */
  name: string
  /** The folder, such as /work. */
  mountPath: string
  /** A path inside of the volume, relative, without "..". */
  subPath?: string
  /** Whether it is mounted for reading only. */
  readOnly?: boolean
}

/** One toleration, as in a pod. */
export interface Toleration {
  /** The taint's key. */
  key?: string
  /** Exists or Equal. */
  operator?: 'Exists' | 'Equal'
  /** The taint's value. */
  value?: string
  /** The taint's effect; every effect when left out. */
  effect?: '' | 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
  /** For how many seconds, with effect NoExecute. */
  tolerationSeconds?: number
}

/**
 * Who created the agent, as the API server saw it. Set by Remit's webhook, whatever the request says; leave it out.
 * Never changes.
 */
export interface Stamp {
  /** The user's name. */
  username: string
  /** The user's UID, if there is one. */
  uid?: string
  /** The user's groups. */
  groups?: string[]
  /** When. */
  at: string
}

/** How the agent is. Written by the operator alone. */
export interface AgentIdentityStatus {
  /** The metadata.generation this status is about. */
  observedGeneration?: number
  /** The agent's identity in every receipt: this object's metadata.uid. */
  agentID?: string
  /** One word for people, such as Running, Suspended or Completed. Programs read conditions. */
  phase?: string
  /** Who of the owner group answers now, such as ana. */
  onCall?: string
  /** The policies it obeys, such as billing. */
  policy?: string
  /** The remit in force; see the AgentRemit of the same name. */
  remit?: RemitStatus
  /** Calls of tools and models so far, denied ones included. Written at most once a minute. */
  calls?: number
  /** How many of them were denied. */
  denied?: number
  /** When it last acted or tried to. */
  lastAction?: string
  /** How often its pod was replaced after it ended. */
  restarts?: number
  /** The pod it runs in. */
  podName?: string
  /** The last time a breaker opened. Whether that still holds is said by the condition Frozen. */
  frozen?: Freeze
  /**
   * Ready, Owned, PolicyAccepted, SandboxReady, Granted, EgressEnforced, Frozen. The message of one that is not as it
   * should be says what to do.
   */
  conditions?: Condition[]
}

/** The remit in force; see the AgentRemit of the same name. */
export interface RemitStatus {
  /** SHA-256 (hex) over the remit's RFC 8785 form. */
  digest: string
  /** Grows with every change of the remit. */
  generation: number
}

/** The last time a breaker opened. Whether that still holds is said by the condition Frozen. */
export interface Freeze {
  /** When, to the millisecond, by the sidecar's clock. */
  at: string
  /** The policy whose breaker it is, such as payments/billing. */
  policy: string
  /** What opened it, such as 5 calls in a row failed. */
  detail: string
}

/** One observation, by the Kubernetes API conventions. */
export interface Condition {
  /** What is observed, such as Ready. */
  type: string
  /** Whether it is so. */
  status: 'True' | 'False' | 'Unknown'
  /** One word for programs, such as OwnerGroupMissing. */
  reason: string
  /** A sentence for people: what is wrong and what to do. */
  message: string
  /** When status last changed. */
  lastTransitionTime: string
  /** The metadata.generation this was observed at. */
  observedGeneration?: number
}

/** What agents may do. A policy without rules allows nothing. */
export interface PolicySpec {
  /**
   * Enforce: the rules decide. Observe: the rules change nothing, and each receipt records what they would have
   * decided, so that a policy can be tried on a running agent first. Default: Enforce.
   */
  mode?: 'Enforce' | 'Observe'
  /**
   * The read-only floor in one line: true denies every tool that no rule gives the class Read, like an invariant,
   * whatever else is allowed.
   */
  readOnly?: boolean
  /**
   * Rules about calls of tools. A rule with effect Allow or Ask gives when every constraint under where is true; a rule
   * with effect Deny denies unless one of its constraints is shown to be false.
   */
  tools?: ToolRule[]
  /**
   * Rules about resources, which servers offer for reading: which are listed, read, subscribed to and completed. What
   * no rule allows is not even listed. Whatever rules say, a resource whose URI could be read in two ways (dot
   * segments, encoded slashes, a user in it, a host in capitals) is denied.
   */
  resources?: ResourceRule[]
  /**
   * Rules about prompts, texts that servers write for the agent's model: which are listed, got and completed. What no
   * rule allows is not even listed.
   */
  prompts?: PromptRule[]
  /**
   * Rules about what servers ask of the agent: text from its model (sampling/createMessage), an answer from its user
   * (elicitation/create), the folders it works in (roots/list). What no rule allows the server gets an error for, and
   * is not told that the agent could.
   */
  requests?: RequestRule[]
  /**
   * Calls that wait for the person on call unless they are shown to be harmless, whatever rules allow. One that names
   * servers, and neither tools nor classes, is about their resources and prompts too.
   */
  guards?: RestrictingRule[]
  /**
   * Calls that are never made, whatever any rule allows and whoever approves. One that names servers, and neither tools
   * nor classes, is about everything of them: resources, prompts and their requests too.
   */
  invariants?: RestrictingRule[]
  /**
   * What an agent that has read something untrusted may no longer do alone: guards that apply once a call of certain
   * tools was made. An after that names servers, and neither tools nor classes, is about their resources and prompts
   * too.
   */
  taint?: TaintRule[]
  /**
   * Tools as they were looked at. A tool whose server declares it otherwise is denied, with what changed; a server with
   * a pin has no tools but its pinned ones. `kubectl remit policy pin` writes them.
   */
  pins?: Pin[]
  /**
   * What never leaves the gate in clear but to the tool itself: in receipts, reasons and traces a salted commitment
   * stands in, in results also for the agent.
   */
  redact?: Redaction[]
  /** What freezes the agent: then every call is denied until a person unfreezes it (kubectl remit unfreeze). */
  breaker?: Breaker
  /** Where agents may connect to besides their declared servers and models. */
  egress?: Egress
}

/** One rule about calls of tools. */
export interface ToolRule {
  /**
   * What a person sees when this rule decided, such as small-refunds. Unique in its list, and of resources, prompts and
   * requests in the whole policy.
   */
  name: string
  /** Which calls this is about. Every list that is given has to match; "*" stands for any run of characters. */
  match: Match
  /**
   * What kind of action the tools are, with the controls that belong to it. Read changes nothing and runs, logged.
   * Draft returns what would be done. Write changes what can be changed back, and needs fields and object. SideEffect
   * reaches the world (money, mail), and needs limits: 60 calls in 1m and 1000 in 24h where none are given. Autonomous
   * starts further work, and needs a runbook, a breaker and an owner group with a rotation. Where the rule gives no
   * effect, Read is Allow, Draft is Draft, and the others Allow with those controls written down, else Ask.
   */
  class?: ToolClass
  /**
   * Allow: the call is made. Draft: what would be done is returned, and nothing is done. Ask: it waits for the person
   * on call. Deny: it is refused. The default is that of class.
   */
  effect?: 'Allow' | 'Draft' | 'Ask' | 'Deny'
  /**
   * Constraints on the call's arguments. In a rule that gives, all must hold; an argument that is missing or of the
   * wrong type denies the call. Leave it out where any arguments will do.
   */
  where?: Constraint[]
  /**
   * The arguments a call may give, and no others: names and paths as in arg, each with all that lies inside. Such as
   * [ticket_id, status, "patch.note"]. A call with another one is not given by the rule.
   */
  fields?: string[]
  /**
   * The object a write is about, as it is before the call: the gate reads it with another tool of the same agent's
   * servers, where must hold for it, and what the call changed of it is recorded.
   */
  object?: ObjectRule
  /**
   * What happens to a matching call when a constraint is false, a field is not among fields, a limit is reached or
   * evidence is missing. Without it this rule then has no say.
   */
  otherwise?: 'Ask' | 'Draft' | 'Deny'
  /**
   * How often and how much. Every call that was made and did not fail counts, whichever rule gave it, and while it is
   * under way; all limits must hold.
   */
  limits?: Limit[]
  /** Calls that must have succeeded before this one. All of them. */
  evidence?: Evidence[]
}

/** Which calls this is about. Every list that is given has to match; "*" stands for any run of characters. */
export interface Match {
  /** Names of servers as in the AgentIdentity's spec.servers, such as billing. Any server when left out. */
  servers?: string[]
  /** Names of tools, such as refund or "get_*"; case counts. Any tool when left out. */
  tools?: string[]
  /**
   * Classes of action. A tool has the strongest class that rules give it, or a stronger one that its own annotations
   * admit. A tool without a class matches in whatever restricts, and in nothing that gives.
   */
  classes?: ToolClass[]
}

export type ToolClass = 'Read' | 'Draft' | 'Write' | 'SideEffect' | 'Autonomous'

/**
 * A statement about one argument: arg and one or more of equals, in, notIn, prefix, suffix, min, max, cidr, pattern,
 * subsetOf, minItems, maxItems, required, absent, which must all hold; or not with one of them; or cel. Nothing is
 * coerced: the text "5" is not the number 5.
 */
export interface Constraint {
  /**
   * The argument: a name, names joined by dots for what lies inside, [*] for every element of a list. Such as amount,
   * customer.country, "to[*]", "notify[*].email".
   */
  arg?: string
  /** The argument is this text, number or truth value, of the same type. Such as EUR, 3, true. */
  equals?: Scalar
  /** The argument is one of these. Such as [EUR, USD]. */
  in?: Scalar[]
  /** The argument is none of these. Such as [XXX, XTS]. */
  notIn?: Scalar[]
  /** The argument is a text that begins with this. Such as "INV-". */
  prefix?: string
  /** The argument is a text that ends with this. Such as "@corp.example". */
  suffix?: string
  /** The argument is a number of at least this. A decimal in quotes, such as "0.01", compared exactly. */
  min?: string
  /** The argument is a number of at most this. A decimal in quotes, such as "50.00", compared exactly. */
  max?: string
  /** The argument is given, whatever its value. */
  required?: true
  /** The argument is not given. */
  absent?: true
  /** The argument is an IP address in this network, such as 10.0.0.0/8 or 2001:db8::/32. */
  cidr?: string
  /**
   * The argument is a text in which this regular expression (RE2) is found; ^ and $ make it the whole text. Such as
   * '^T-[0-9]+$'.
   */
  pattern?: string
  /** The argument is a list of which every element is one of these; an empty list is one too. */
  subsetOf?: Scalar[]
  /** The argument is a list of at least so many elements. */
  minItems?: number
  /** The argument is a list of at most so many elements. */
  maxItems?: number
  /** A CEL expression over args (the arguments), server and tool that must be true. Such as 'args.from != args.to'. */
  cel?: string
  /** Holds when the operator inside does not. Such as not: {in: [USD]}. It cannot hold another not. */
  not?: NegatedConstraint
  /** The constraint also holds when the argument is not given. */
  optional?: boolean
}

/** Holds when the operator inside does not. Such as not: {in: [USD]}. It cannot hold another not. */
export interface NegatedConstraint {
  /** The argument is this text, number or truth value, of the same type. Such as EUR, 3, true. */
  equals?: Scalar
  /** The argument is one of these. Such as [EUR, USD]. */
  in?: Scalar[]
  /** The argument is none of these. Such as [XXX, XTS]. */
  notIn?: Scalar[]
  /** The argument is a text that begins with this. Such as "INV-". */
  prefix?: string
  /** The argument is a text that ends with this. Such as "@corp.example". */
  suffix?: string
  /** The argument is a number of at least this. A decimal in quotes, such as "0.01", compared exactly. */
  min?: string
  /** The argument is a number of at most this. A decimal in quotes, such as "50.00", compared exactly. */
  max?: string
  /** The argument is given, whatever its value. */
  required?: true
  /** The argument is not given. */
  absent?: true
  /** The argument is an IP address in this network, such as 10.0.0.0/8 or 2001:db8::/32. */
  cidr?: string
  /**
   * The argument is a text in which this regular expression (RE2) is found; ^ and $ make it the whole text. Such as
   * '^T-[0-9]+$'.
   */
  pattern?: string
  /** The argument is a list of which every element is one of these; an empty list is one too. */
  subsetOf?: Scalar[]
  /** The argument is a list of at least so many elements. */
  minItems?: number
  /** The argument is a list of at most so many elements. */
  maxItems?: number
  /** A CEL expression over args (the arguments), server and tool that must be true. Such as 'args.from != args.to'. */
  cel?: string
}

/**
 * The object a write is about, as it is before the call: the gate reads it with another tool of the same agent's
 * servers, where must hold for it, and what the call changed of it is recorded.
 */
export interface ObjectRule {
  /** Server and tool that reads it, such as tickets/get_ticket. */
  read: string
  /** The arguments of the read, each from an argument of the call. Such as {id: ticket_id}. */
  with?: Record<string, string>
  /** Constraints on the object that was read. Such as [{arg: owner, equals: billing-team}]. */
  where?: Constraint[]
}

/** One limit: calls in per; or sum or distinct of an argument, up to max, in per; or concurrent. */
export interface Limit {
  /** A stretch of time that slides: 1s, 10m, 24h, 7d or 1h30m; at most 31d. */
  per?: string
  /** At most so many calls. */
  calls?: number
  /** The argument whose values are added up, such as amount; with those of this call at most max. */
  sum?: string
  /** The bound of sum or distinct, a decimal in quotes, such as "500.00". */
  max?: string
  /** The argument whose different values are counted; with those of this call at most max. */
  distinct?: string
  /** At most so many calls at the same time, this one among them. */
  concurrent?: number
  /**
   * Which calls count together: Rule, those of all tools the rule matches (the default); Tool, each tool for itself;
   * Policy, those of all tools that rules of this policy give; Agent, all of the agent.
   */
  scope?: LimitScope
}

/**
 * Which calls count together: Rule, those of all tools the rule matches (the default); Tool, each tool for itself;
 * Policy, those of all tools that rules of this policy give; Agent, all of the agent.
 */
export type LimitScope = 'Rule' | 'Tool' | 'Policy' | 'Agent'

/** One call that must have succeeded before. */
export interface Evidence {
  /** Server and tool, such as billing/get_invoice. The tool may have "*". */
  tool: string
  /** A stretch of time that slides: 1s, 10m, 24h, 7d or 1h30m; at most 31d. */
  within?: string
  /** Arguments that must be the same: of this call (left) and of the earlier one (right). */
  same?: Record<string, string>
}

/** One rule about resources. */
export interface ResourceRule {
  /**
   * What a person sees when this rule decided, such as small-refunds. Unique in its list, and of resources, prompts and
   * requests in the whole policy.
   */
  name: string
  /**
   * Which resources this is about. Every list that is given has to match; "*" stands for any run of characters, slashes
   * too.
   */
  match: ResourceMatch
  /** Allow: it passes. Ask: it waits for the person on call. Deny: it is refused. */
  effect: 'Allow' | 'Ask' | 'Deny'
  /**
   * Constraints on the one argument uri. In a rule that allows or asks, all must hold; a rule that denies does so
   * unless one of them is shown to be false. Such as [{arg: uri, suffix: ".md"}].
   */
  where?: Constraint[]
}

/**
 * Which resources this is about. Every list that is given has to match; "*" stands for any run of characters, slashes
 * too.
 */
export interface ResourceMatch {
  /** Names of servers as in the AgentIdentity's spec.servers, such as billing. Any server when left out. */
  servers?: string[]
  /**
   * URIs as resources/list gives them, whole, with their scheme; case counts. Such as "file:///handbook/*". Any URI
   * when left out.
   */
  uris?: string[]
}

/** One rule about prompts. */
export interface PromptRule {
  /**
   * What a person sees when this rule decided, such as small-refunds. Unique in its list, and of resources, prompts and
   * requests in the whole policy.
   */
  name: string
  /** Which prompts this is about. Every list that is given has to match; "*" stands for any run of characters. */
  match: PromptMatch
  /** Allow: it passes. Ask: it waits for the person on call. Deny: it is refused. */
  effect: 'Allow' | 'Ask' | 'Deny'
  /**
   * Constraints on the prompt's arguments. In a rule that allows or asks, all must hold; a rule that denies does so
   * unless one of them is shown to be false. Such as [{arg: length, in: [short]}].
   */
  where?: Constraint[]
}

/** Which prompts this is about. Every list that is given has to match; "*" stands for any run of characters. */
export interface PromptMatch {
  /** Names of servers as in the AgentIdentity's spec.servers, such as billing. Any server when left out. */
  servers?: string[]
  /** Names of prompts, such as summarize or "summ*"; case counts. Any prompt when left out. */
  prompts?: string[]
}

/** One rule about what servers ask of the agent. */
export interface RequestRule {
  /**
   * What a person sees when this rule decided, such as small-refunds. Unique in its list, and of resources, prompts and
   * requests in the whole policy.
   */
  name: string
  /** Which requests this is about. Every list that is given has to match. */
  match: RequestMatch
  /**
   * Allow: the agent gets to answer. Deny: the server gets an error. There is no Ask: who is on call cannot answer for
   * the agent's model or user.
   */
  effect: 'Allow' | 'Deny'
  /**
   * Constraints on the request's params. In a rule that allows, all must hold; a rule that denies does so unless one of
   * them is shown to be false. An elicitation that says no mode has mode form. Such as [{arg: mode, in: [form]}] or
   * [{arg: maxTokens, max: "1000"}].
   */
  where?: Constraint[]
  /**
   * Constraints on what the agent answers. All must hold, else the server gets an error instead. Such as [{arg:
   * content.password, absent: true}].
   */
  answer?: Constraint[]
}

/** Which requests this is about. Every list that is given has to match. */
export interface RequestMatch {
  /** Names of servers as in the AgentIdentity's spec.servers, such as billing. Any server when left out. */
  servers?: string[]
  /** What is asked. Any of the three when left out. */
  methods?: ('sampling/createMessage' | 'elicitation/create' | 'roots/list')[]
}

/** A guard or an invariant. It applies to every matching call unless all of unless is shown to be true. */
export interface RestrictingRule {
  /**
   * What a person sees when this rule decided, such as small-refunds. Unique in its list, and of resources, prompts and
   * requests in the whole policy.
   */
  name: string
  /** Which calls this is about. Every list that is given has to match; "*" stands for any run of characters. */
  match: Match
  /**
   * It does not apply when all of these are shown to be true. An argument that is missing or of the wrong type shows
   * nothing and denies the call. Without unless it always applies.
   */
  unless?: Constraint[]
}

/**
 * After a call that matches after, calls that match wait for the person on call, unless all of unless is shown to be
 * true.
 */
export interface TaintRule {
  /**
   * What a person sees when this rule decided, such as small-refunds. Unique in its list, and of resources, prompts and
   * requests in the whole policy.
   */
  name: string
  /** Which calls this is about. Every list that is given has to match; "*" stands for any run of characters. */
  after: Match
  /** A stretch of time that slides: 1s, 10m, 24h, 7d or 1h30m; at most 31d. */
  for?: string
  /** Which calls this is about. Every list that is given has to match; "*" stands for any run of characters. */
  match: Match
  /** It does not apply when all of these are shown to be true. Such as [{arg: "to[*]", suffix: "@corp.example"}]. */
  unless?: Constraint[]
}

/** One tool, by digest, and by its whole definition if drift is to be explained and arguments validated. */
export interface Pin {
  /** Name of the server as in the AgentIdentity, such as billing. */
  server: string
  /** Name of the tool, such as refund. */
  tool: string
  /**
   * sha256: and 64 hex digits, over the RFC 8785 form of {name, description, inputSchema, outputSchema, annotations,
   * title} as far as the server gives them.
   */
  digest: string
  /** The definition the digest is of, as in tools/list. Arguments are then validated against its inputSchema. */
  definition?: ToolDefinition
}

/** The definition the digest is of, as in tools/list. Arguments are then validated against its inputSchema. */
export type ToolDefinition = Record<string, unknown>

/** Paths of the arguments and results of some tools. */
export interface Redaction {
  /** Which calls this is about. Every list that is given has to match; "*" stands for any run of characters. */
  match: Match
  /** Paths into the arguments, each with all that lies inside. Such as [iban, "to[*].phone"]. */
  arguments?: string[]
  /**
   * Paths into the structured result, or into text that is JSON; a result without them is withheld whole. Such as
   * [customer.iban].
   */
  results?: string[]
}

/** What freezes the agent: then every call is denied until a person unfreezes it (kubectl remit unfreeze). */
export interface Breaker {
  /** So many calls in a row that failed. */
  errors?: number
  /** So many calls in a row that were denied. */
  denials?: number
  /** More than so many calls in per, whatever came of them. */
  calls?: number
  /** A stretch of time that slides: 1s, 10m, 24h, 7d or 1h30m; at most 31d. */
  per?: string
}

/** Where agents may connect to besides their declared servers and models. */
export interface Egress {
  /** Networks that are opened in the agent's NetworkPolicy. The agent reaches them without the gate. */
  cidrs?: CIDRPorts[]
  /**
   * Host and port, such as "api.model.example:443". Opens nothing until there is an egress gateway; models are reached
   * through the gate.
   */
  hosts?: string[]
}

/** A network and its ports. */
export interface CIDRPorts {
  /** A network, such as 10.20.0.0/16 or 192.0.2.10/32. */
  cidr: string
  /** TCP ports, such as [443]. All ports when left out. */
  ports?: number[]
}

/** What the operator found. Written by it alone. */
export interface PolicyStatus {
  /** The metadata.generation this status is about. */
  observedGeneration?: number
  /** How many rules, guards and invariants the policy has. */
  rules?: number
  /** How many agents obey the policy. */
  agents?: number
  /**
   * Accepted: whether the policy can be enforced as written; if not, the message names the field, the value and the
   * fix.
   */
  conditions?: Condition[]
}

/** The remit and the operator's signature over it. */
export interface AgentRemitSpec {
  /**
   * Whose authority it is, its rules, servers, models, owner group, and the digests of everything it was compiled from.
   * Every field is covered by the signature.
   */
  remit: Record<string, unknown>
  /** A compact EdDSA JWS with detached payload (RFC 7515, appendix F) over the remit's RFC 8785 form. */
  signature: string
}

/** The people and their turns. */
export interface OwnerGroupSpec {
  /** The people. At least one. */
  members: Member[]
  /** Who is on call. Exactly one of owner and rotation. */
  onCall: OnCall
  /** Who takes over when, whatever onCall says. Not built yet: a group that uses it is refused. */
  overrides?: Override[]
  /** Who is told next when nobody answers. Not built yet: a group that uses it is refused. */
  escalation?: EscalationStep[]
  /** Members on call when onCall gives nobody, such as before a rotation's start. */
  fallback?: string[]
  /** Where the group is told of things. Not built yet: a group that uses it is refused. */
  channels?: Channel[]
}

/** One person. */
export interface Member {
  /** What the person is called in this group and in every "waiting for ...", such as ana. */
  name: string
  /** Under which Kubernetes identities the person acts. What decides is what the API server says of a request. */
  identities?: Identity[]
  /** How to reach the person. Shown to whoever asks who is on call. */
  contacts?: Contacts
}

/** A user or a group as the API server names it. */
export interface Identity {
  /** User or Group. */
  kind: 'User' | 'Group'
  /** The exact name, such as ana@corp.example; see kubectl auth whoami. */
  name: string
}

/** How to reach the person. Shown to whoever asks who is on call. */
export interface Contacts {
  /** Such as ana@corp.example. */
  email?: string
  /** A Slack member, such as "@ana" or U012AB3CD. */
  slack?: string
  /** Such as "+49 30 1234567". */
  phone?: string
  /** Any other place, such as https://chat.corp.example/ana. */
  url?: string
}

/** Who is on call. Exactly one of owner and rotation. */
export interface OnCall {
  /** The member who is always on call, such as ana. */
  owner?: string
  /** Members who take turns. */
  rotation?: Rotation
  /** A calendar (RFC 5545) whose events name who is on call. Not built yet: a group that uses it is refused. */
  ical?: ICal
  /** A PagerDuty schedule. Not built yet: a group that uses it is refused. */
  pagerDuty?: PagerDuty
}

/** Members who take turns. */
export interface Rotation {
  /**
   * The IANA time zone that start and each hand-over are in, such as Europe/Berlin. A hand-over at 09:00 stays at 09:00
   * when clocks change.
   */
  timeZone: string
  /**
   * When the first turn begins, in that time zone and without offset: "2026-10-05T09:00". Before it the fallback is on
   * call.
   */
  start: string
  /** How long one turn is. Such as {count: 1, unit: Week}. */
  every: Every
  /** The turns, which repeat. Each is a list of members; its first is called first. Such as [[ana], [bo, ana]]. */
  order: string[][]
}

/** How long one turn is. Such as {count: 1, unit: Week}. */
export interface Every {
  /** How many of unit. Default: 1. */
  count?: number
  /** Hour, Day or Week. */
  unit: 'Hour' | 'Day' | 'Week'
}

/** A calendar (RFC 5545) whose events name who is on call. Not built yet: a group that uses it is refused. */
export interface ICal {
  /** Where the calendar is. */
  url: string
}

/** A PagerDuty schedule. Not built yet: a group that uses it is refused. */
export interface PagerDuty {
  /** The schedule's ID. */
  scheduleID: string
}

/** One stretch of time that others take over. Not built yet. */
export interface Override {
  /** Who is on call then. */
  members: string[]
  /** When it begins. */
  from: string
  /** When it ends. */
  until: string
}

/** One step. Not built yet. */
export interface EscalationStep {
  /** How long nobody has answered, such as 10m. */
  after: string
  /** Who is told then. */
  members: string[]
}

/** One place. Not built yet. */
export interface Channel {
  /** What it is called. */
  name: string
  /** Of what kind it is. */
  type: 'Slack' | 'PagerDuty' | 'Email' | 'Webhook'
  /** The channel, service, address or URL. */
  target?: string
}

/** Who is on call now. Written by the operator alone. */
export interface OwnerGroupStatus {
  /** The metadata.generation this status is about. */
  observedGeneration?: number
  /** Who is on call now, the first to be called first, such as "ana" or "bo, ana". */
  onCall?: string
  /** When this turn began. */
  onCallSince?: string
  /** When the next turn begins. */
  onCallUntil?: string
  /** The members' names, for kubectl get, such as "ana, bo". */
  members?: string
  /** Ready: whether somebody is on call; if not, the message says what to do. */
  conditions?: Condition[]
}

/**
 * An AgentIdentity is one agent: its name, what it runs, the policies that bound it, the people who answer for it. The
 * operator runs it in one pod, agent-<name>, in which a sidecar is the only way to a tool or a model.
 */
export interface AgentIdentity extends KubeObject<'AgentIdentity'> {
  spec: AgentIdentitySpec
  status?: AgentIdentityStatus
}

/**
 * An AgentPolicy says what the agents that name it in spec.policyRefs may do with which tools, which resources and
 * prompts they may read, and what servers may ask of them. What no rule allows is denied. The strongest effect wins,
 * whatever the order of rules: an invariant beats Deny, Deny beats Ask, Ask beats Draft, Draft beats Allow.
 */
export interface AgentPolicy extends KubeObject<'AgentPolicy'> {
  spec: PolicySpec
  status?: PolicyStatus
}

/**
 * An AgentRemit is the compiled, signed authority of the agent of the same name: exactly what its sidecar enforces.
 * Only the operator writes it; change the AgentIdentity or its policies instead.
 */
export interface AgentRemit extends KubeObject<'AgentRemit'> {
  spec: AgentRemitSpec
}

/**
 * A ClusterAgentPolicy is obeyed by every agent of the cluster besides its own policies. It restricts: no namespace can
 * loosen it, and no rule of it gives an agent anything.
 */
export interface ClusterAgentPolicy extends KubeObject<'ClusterAgentPolicy'> {
  spec: PolicySpec
  status?: PolicyStatus
}

/**
 * An OwnerGroup is the people who answer for agents, and who of them is on call at any time. An agent names one in
 * spec.ownerRef; an agent without one is refused.
 */
export interface OwnerGroup extends KubeObject<'OwnerGroup'> {
  spec: OwnerGroupSpec
  status?: OwnerGroupStatus
}
