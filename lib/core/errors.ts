/**
 * The one catalog of what can go wrong that a person should read: conditions, denials, CLI and HTTP answers all name a
 * code from here. `docs/errors.md` has a section for each (a test ties the two both ways).
 */
export interface CatalogEntry {
  /** What happened, one plain sentence; `{name}` stands for a value given with the error. */
  message: string
  /** What a person does about it. */
  remedy: string
  /** Whether trying the same again later can succeed without anyone changing anything. */
  retry: boolean
}

export const catalog = {
  // decisions
  NoRuleAllows: {
    message: 'No rule allows {what}.',
    remedy: 'Add a rule to the policy, or do without.',
    retry: false,
  },
  DeniedByRule: {
    message: 'The rule {rule} denies {what}.',
    remedy: 'Change the rule in {policy}, or do without.',
    retry: false,
  },
  DeniedByInvariant: {
    message: '{rule} is an invariant: {detail}.',
    remedy: 'No approval lifts an invariant; only a change of {policy} does.',
    retry: false,
  },
  ConstraintFailed: {
    message: '{detail}.',
    remedy: 'Call again within what {rule} allows, or have it allow more.',
    retry: false,
  },
  ConstraintError: {
    message: '{detail}, so {rule} cannot be evaluated and the call is denied.',
    remedy: 'Call again with arguments of the types the tool declares.',
    retry: false,
  },
  WaitingForPerson: {
    message: 'This call is waiting for {who}.',
    remedy: '{who} answers for this agent now; ask them, or use another way.',
    retry: true,
  },
  DraftOnly: {
    message: '{detail}. This is a draft: nothing was done.',
    remedy: 'Show it to a person; {rule} only lets it be drafted.',
    retry: false,
  },
  LimitReached: {
    message: '{detail}.',
    remedy: 'Wait until earlier calls are long enough ago, or have the limit of {rule} raised.',
    retry: true,
  },
  EvidenceMissing: { message: '{detail}.', remedy: 'Make that call first, for the same object.', retry: true },
  FieldNotAllowed: {
    message: '{detail}.',
    remedy: 'Leave the argument out, or have it listed under fields of {rule}.',
    retry: false,
  },
  AgentFrozen: {
    message: 'The agent is frozen since {at}: {detail}.',
    remedy: 'A person who has looked into it unfreezes it: kubectl remit unfreeze {agent}.',
    retry: false,
  },
  HistoryNotLoaded: {
    message: 'What the agent did before is not loaded yet, and {rule} needs it.',
    remedy: 'Try again in a moment; if it stays so, the ledger does not send it: see the logs of sidecar and ledger.',
    retry: true,
  },
  ToolChanged: {
    message: '{server}/{tool} is not what was pinned: {detail}.',
    remedy: 'Look at the change; if it is wanted, pin it anew in {policy} with kubectl remit policy pin.',
    retry: false,
  },
  ToolNotPinned: {
    message: '{server}/{tool} is not pinned, and {policy} pins the tools of {server}.',
    remedy: 'Look at the tool; if it is wanted, pin it with kubectl remit policy pin.',
    retry: false,
  },
  ToolUndeclared: {
    message: '{server}/{tool} is pinned, and how the server declares it now is not known.',
    remedy: 'See that the server runs, answers tools/list and lists the tool.',
    retry: true,
  },
  ArgumentsInvalid: {
    message: 'The arguments are not what {server}/{tool} takes: {detail}.',
    remedy: 'Call again with arguments that fit the input schema of the tool.',
    retry: false,
  },
  UriNotPlain: {
    message: 'Which resource {uri} leads to is not certain: {detail}.',
    remedy: 'Ask for it by the URI that resources/list gives, in its normal form.',
    retry: false,
  },
  UnknownServer: {
    message: 'There is no server {server} in this remit.',
    remedy: 'Declare it under spec.servers of the AgentIdentity.',
    retry: false,
  },
  UnknownModel: {
    message: 'There is no model {model} in this remit.',
    remedy: 'Declare it under spec.models of the AgentIdentity.',
    retry: false,
  },
  AgentSuspended: { message: 'The agent is suspended.', remedy: 'Set spec.suspended to false.', retry: false },
  RemitExpired: { message: 'The agent expired at {at}.', remedy: 'Set a later spec.expiresAt.', retry: false },
  RemitNotUnderstood: {
    message: 'This sidecar is older than its remit ({detail}), so every call is denied.',
    remedy: "Delete the agent's pod: the next one has the current sidecar.",
    retry: false,
  },
  NoRemit: {
    message: 'The agent has no remit yet.',
    remedy: 'Wait for the operator; if it stays so, kubectl describe agent says what is missing.',
    retry: true,
  },
  CannotRecord: {
    message: 'The call could not be recorded, so it was not made: {detail}.',
    remedy: "Free disk space of the sidecar's spool, or see its log.",
    retry: true,
  },
  ResultNotRecorded: {
    message: 'The call was made, but what came of it could not be recorded: {detail}.',
    remedy: "Look at the tool's own records before trying again; free disk space of the sidecar's spool.",
    retry: false,
  },
  CredentialMissing: {
    message: 'The credential for {server} is not there.',
    remedy: 'Create the Secret that its credentialRef names.',
    retry: false,
  },
  // requests
  MalformedRequest: {
    message: 'The request is not what the protocol allows: {detail}.',
    remedy: 'Mend the client.',
    retry: false,
  },
  RequestTooLarge: { message: 'The request is larger than {limit}.', remedy: 'Send less at once.', retry: false },
  UnsupportedVersion: {
    message: 'Protocol version {version} is not supported; supported: {supported}.',
    remedy: 'Use a supported version.',
    retry: false,
  },
  UnknownSession: { message: 'There is no such session.', remedy: 'Initialize again.', retry: true },
  UnknownMethod: {
    message: 'The method {method} is not passed on.',
    remedy: 'Do without it: only what a policy can decide is passed on.',
    retry: false,
  },
  UnknownTask: {
    message: 'There is no such task of this agent.',
    remedy: 'Make the call again: tasks are known until the sidecar restarts, and only those that this agent began.',
    retry: false,
  },
  UpstreamUnreachable: {
    message: 'The server {server} cannot be reached: {detail}.',
    remedy: 'See that it runs and that its address in the remit is right.',
    retry: true,
  },
  UpstreamTimeout: {
    message: 'The server {server} did not answer within {seconds} s.',
    remedy: 'Whether the call took effect is unknown; look before trying again.',
    retry: true,
  },
  UpstreamInvalid: {
    message: 'The server {server} answered something that is not MCP: {detail}.',
    remedy: 'Whether the call took effect is unknown; mend the server.',
    retry: false,
  },
  OutcomeUnknown: {
    message: 'The sidecar ended before the answer came; whether the call took effect is unknown.',
    remedy: "Look at the tool's own records before trying again.",
    retry: false,
  },
  AnswerLost: {
    message: 'The connection broke, and the answer is not kept here any more.',
    remedy: 'See in the record what came of the call before making it again.',
    retry: false,
  },
  // policies and agents
  PolicyInvalid: { message: '{field}: {detail}', remedy: '{fix}', retry: false },
  PolicyUnsupported: {
    message: '{field} is not enforced by this version, so a policy that uses it is refused.',
    remedy: 'Remove it, or use a version that enforces it.',
    retry: false,
  },
  ControlMissing: {
    message: '{rule} of {policy} lets an autonomous tool run, which needs {what}.',
    remedy: '{fix}',
    retry: false,
  },
  PolicyMissing: {
    message: 'The policy {name} does not exist in namespace {namespace}.',
    remedy: 'Create it, or name another in spec.policyRefs.',
    retry: false,
  },
  OwnerGroupMissing: {
    message: 'The owner group {name} does not exist in namespace {namespace}.',
    remedy: 'Create it, or name another in spec.ownerRef.',
    retry: false,
  },
  NobodyOnCall: {
    message: 'Nobody is on call in the owner group {name}.',
    remedy: 'Give it an owner, a rotation that has begun, or a fallback.',
    retry: false,
  },
  OwnerGroupInvalid: { message: '{field}: {detail}', remedy: '{fix}', retry: false },
  NotFrozen: {
    message: 'The agent {name} in namespace {namespace} is not frozen.',
    remedy: 'A freeze shows in its status seconds after it happened: kubectl describe agent {name} -n {namespace}.',
    retry: false,
  },
  UnfrozenInFuture: {
    message: 'A freeze is lifted after it happened, and {at} is in the future.',
    remedy: 'Set it to now, as kubectl remit unfreeze does.',
    retry: false,
  },
  MayNotUsePolicy: {
    message: '{user} may not use the policy {name} in namespace {namespace}.',
    remedy: 'Grant the verb "use" on agentpolicies/{name} in namespace {namespace}.',
    retry: false,
  },
  MayNotReadSecret: {
    message: '{user} may not read the Secret {name} in namespace {namespace}, so may not have it sent anywhere.',
    remedy:
      'Grant the verb "get" on secrets/{name} in namespace {namespace}, or let somebody who has it make the change.',
    retry: false,
  },
  RemitInvalid: {
    message: 'The remit was refused: {detail}.',
    remedy:
      'The last good remit stays in force. If no newer one is taken, delete the pod: the next one trusts the keys that the operator signs with now.',
    retry: false,
  },
  NetworkPolicyOpensAgents: {
    message: "The NetworkPolicy {name} in namespace {namespace} would open the agent's pod.",
    remedy:
      'Exclude agents from it: podSelector: {matchExpressions: [{key: remit.dev/agent, operator: DoesNotExist}]}.',
    retry: false,
  },
  NotReady: {
    message: 'Remit is not ready yet: {detail}.',
    remedy: 'Wait until the operator runs; see its log and `kubectl -n remit-system get pods`.',
    retry: true,
  },
  RemitTooLarge: {
    message: 'The compiled remit has {bytes} bytes; at most 262144 are allowed.',
    remedy: 'Use fewer or shorter rules.',
    retry: false,
  },
  ServiceMissing: {
    message: 'The Service {name} of server {server} does not exist in namespace {namespace}.',
    remedy: 'Create it, or mend spec.servers.',
    retry: false,
  },
  ServiceUnusable: {
    message: 'The Service {name} of {server} cannot be used: {detail}.',
    remedy: 'Mend the Service, or the port and name in the AgentIdentity.',
    retry: false,
  },
  SecretMissing: {
    message: 'The Secret {name} (key {key}) does not exist in namespace {namespace}.',
    remedy: 'Create it, or mend the credentialRef.',
    retry: false,
  },
  ImageCannotBePulled: {
    message: 'The image {image} cannot be pulled: {detail}.',
    remedy: 'Mend spec.workload.image or its pull secret.',
    retry: true,
  },
  SandboxRefused: {
    message: 'The pod was refused: {detail}.',
    remedy: 'Mend what the message names; often spec.workload.runtimeClassName.',
    retry: false,
  },
  QuotaExceeded: {
    message: 'The pod was refused by a quota: {detail}.',
    remedy: "Raise the namespace's quota, or ask for less in spec.workload.resources.",
    retry: true,
  },
  AdmissionRefused: {
    message: 'The pod was refused at admission: {detail}.',
    remedy:
      'Mend what the message names; if it is a webhook or policy of the cluster, exempt pods with the label remit.dev/agent.',
    retry: true,
  },
  Unschedulable: {
    message: 'No node takes the pod: {detail}.',
    remedy: 'Add room, or mend nodeSelector, tolerations and resources of spec.workload.',
    retry: true,
  },
  ContainerRefused: {
    message: 'The container {container} cannot be started: {detail}.',
    remedy: 'Mend what the message names; often a missing ConfigMap, a command or a volume of spec.workload.',
    retry: false,
  },
  SidecarNotReady: {
    message: 'The sidecar is not ready, so the agent is not started: {detail}.',
    remedy: 'See its log with kubectl logs agent-{agent} -c remit-sidecar, and that the ledger runs.',
    retry: true,
  },
  AgentFailing: {
    message: 'The agent ended with {ending}; replaced {restarts} times, next try at {at}.',
    remedy: 'See its log with kubectl logs agent-{agent} -c agent.',
    retry: true,
  },
  ReservedName: {
    message: "Names agent-* are Remit's own: {detail}.",
    remedy: 'Make an AgentIdentity; Remit makes its pod.',
    retry: false,
  },
  // ledger
  Unauthenticated: {
    message: 'The caller could not be authenticated: {detail}.',
    remedy: 'Use a token of the right audience that has not expired.',
    retry: false,
  },
  Forbidden: {
    message: 'The caller may not do this: {detail}.',
    remedy: 'Ask whoever administers the cluster for the right that is named.',
    retry: false,
  },
  ReceiptGap: {
    message: 'The next receipt of this incarnation is {expectedSeq}.',
    remedy: 'Send from there.',
    retry: true,
  },
  ReceiptFork: {
    message: 'Another receipt with this sequence number is already recorded.',
    remedy: 'Two writers share one key: treat it as an incident.',
    retry: false,
  },
  ReceiptInvalid: { message: 'The receipt is not valid: {detail}.', remedy: 'Mend the sender.', retry: false },
  LedgerBusy: {
    message: 'The ledger takes no more from this agent for now.',
    remedy: 'Wait as long as Retry-After says; a whole fleet that meets it needs a higher limit in the chart.',
    retry: true,
  },
  LedgerFull: {
    message: 'The ledger has no space left, so nothing was recorded.',
    remedy: "Enlarge the ledger's volume; nothing is lost meanwhile, sidecars keep what they could not send.",
    retry: true,
  },
  LedgerUnavailable: {
    message: 'The ledger cannot answer now: {detail}.',
    remedy: 'Try again; if it stays so, see the log of the ledger.',
    retry: true,
  },
  // command line
  NotFound: {
    message: '{what} does not exist.',
    remedy: 'List what there is, and see that name and namespace are right.',
    retry: false,
  },
  NothingRecorded: {
    message: 'Nothing of {whose} was recorded since {since}.',
    remedy: 'Look further back with --since, and see that name and namespace are right.',
    retry: true,
  },
  BadUsage: { message: '{detail}.', remedy: 'See --help.', retry: false },
  ClusterUnreachable: {
    message: 'The cluster cannot be reached: {detail}.',
    remedy: 'See that the kubeconfig and context are right.',
    retry: true,
  },
} as const satisfies Record<string, CatalogEntry>

export type ErrorCode = keyof typeof catalog
export type ErrorValues = Record<string, string | number>

const fill = (template: string, values: ErrorValues) =>
  template.replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole))

/** What a person did or met that they can mend; everything else thrown is our bug. */
export class UserError extends Error {
  readonly code: ErrorCode
  readonly values: ErrorValues
  constructor(code: ErrorCode, values: ErrorValues = {}) {
    super(fill(catalog[code].message, values))
    this.name = 'UserError'
    this.code = code
    this.values = values
  }
  get remedy(): string {
    return fill(catalog[this.code].remedy, this.values)
  }
  get retry(): boolean {
    return catalog[this.code].retry
  }
}

/** {message, remedy} of a code with its values filled in. */
export const describe = (
  code: ErrorCode,
  values: ErrorValues = {},
): { code: ErrorCode; message: string; remedy: string } => ({
  code,
  message: fill(catalog[code].message, values),
  remedy: fill(catalog[code].remedy, values),
})
