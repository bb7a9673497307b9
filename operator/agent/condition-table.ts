export type Status = 'True' | 'False' | 'Unknown'

/** A reason of the table: what it means, and what a person does about it. `docs/conditions.md` is made of these. */
export interface Row {
  status: Status
  meaning: string
  remedy: string
}
const because = (meaning: string, remedy: string): Row => ({ status: 'False', meaning, remedy })
const so = (meaning: string): Row => ({ status: 'True', meaning, remedy: 'Nothing.' })

/** Why a pod does not run. */
export const POD_REASONS = {
  SandboxRefused: because(
    'The pod sandbox or its RuntimeClass was refused.',
    'Mend `runtimeClassName`, or the node the message names.',
  ),
  QuotaExceeded: because('A ResourceQuota refused the pod.', 'Raise the quota, or ask for less.'),
  AdmissionRefused: because('A webhook or policy refused the pod.', 'Mend what the message names.'),
  Unschedulable: because('No node takes the pod.', 'Add room, or mend node selector and tolerations.'),
  ImageCannotBePulled: because('An image of the pod cannot be pulled.', 'Mend `workload.image` or its pull secret.'),
  ContainerRefused: because(
    'The node cannot start a container as written.',
    'Mend what the message names, often a ConfigMap or a command.',
  ),
  SecretMissing: because(
    'A Secret of a `credentialRef`, or its key, does not exist.',
    'Create it, or mend the `credentialRef`.',
  ),
  SidecarNotReady: because(
    'The sidecar does not run, so no call can be made.',
    'See its log, and that the ledger runs.',
  ),
} satisfies Record<string, Row>

/** Every condition of an AgentIdentity, with every reason it can have. Nothing else is ever written (see `tell`). */
export const CONDITIONS = {
  Ready: {
    Running: so('The agent runs under its remit.'),
    Starting: because(
      'Its objects or its pod are on the way; the message says how far.',
      'Wait; when it stays, look at the message.',
    ),
    AgentFrozen: because(
      'A breaker opened: every call is denied until a person unfreezes the agent.',
      'Find out why, with `kubectl remit timeline NAME`; then `kubectl remit unfreeze NAME`.',
    ),
    Completed: because('The agent ended with exit code 0.', 'Nothing; change `spec.workload` to run it again.'),
    AgentFailing: because('The agent ended with an error and is started again after a pause.', 'See its log.'),
    AgentSuspended: because('`spec.suspended` is true: no pod, no authority.', 'Set it to false.'),
    RemitExpired: because('`spec.expiresAt` has passed: no pod, no authority.', 'Set a later time.'),
    Deleting: because('The agent is being deleted; its pod ends first.', 'Wait.'),
    OwnerGroupMissing: because('The owner group does not exist; every call is denied.', 'Create it, or name another.'),
    OwnerGroupInvalid: because(
      'The owner group cannot be used as written; every call is denied.',
      'Mend the field the message names.',
    ),
    NobodyOnCall: because(
      'Nobody of the owner group is on call; every call is denied.',
      'Give it an owner, a rotation that has begun, or a fallback.',
    ),
    PolicyMissing: because('A policy it names does not exist; every call is denied.', 'Create it, or name another.'),
    PolicyInvalid: because(
      'A policy cannot be enforced as written; every call is denied.',
      'Mend the field the message names.',
    ),
    PolicyUnsupported: because('A policy uses what this version does not enforce; every call is denied.', 'Remove it.'),
    ControlMissing: because(
      'A policy lets an autonomous tool run without what that needs; every call is denied.',
      'Give it what the message names: a runbook, a breaker, a rotation.',
    ),
    RemitTooLarge: because('The compiled remit is over 256 KiB; every call is denied.', 'Use fewer or shorter rules.'),
    ServiceMissing: because(
      'A Service it declares does not exist; no pod is made.',
      'Create it, or mend `spec.servers`.',
    ),
    ServiceUnusable: because(
      'A server or model it declares cannot be dialled; no pod is made.',
      'Mend what the message names.',
    ),
    NotReady: because('Remit itself is not ready.', 'See the log of the operator.'),
    ...POD_REASONS,
  },
  Owned: {
    OnCall: so('Somebody answers for the agent now; the message says who, and until when.'),
    OwnerGroupMissing: because('The owner group does not exist.', 'Create it, or name another.'),
    OwnerGroupInvalid: because('The owner group cannot be used as written.', 'Mend the field the message names.'),
    NobodyOnCall: because(
      'Nobody of the owner group is on call.',
      'Give it an owner, a rotation that has begun, or a fallback.',
    ),
  },
  PolicyAccepted: {
    Accepted: so('All its policies are enforced as written.'),
    PolicyMissing: because('A policy it names does not exist.', 'Create it, or name another.'),
    PolicyInvalid: because('A policy cannot be enforced as written.', 'Mend the field the message names.'),
    PolicyUnsupported: because('A policy uses what this version does not enforce.', 'Remove it.'),
    ControlMissing: because(
      'A policy lets an autonomous tool run without what that needs.',
      'Give it what the message names: a runbook, a breaker, a rotation.',
    ),
    RemitTooLarge: because('The compiled remit is over 256 KiB.', 'Use fewer or shorter rules.'),
    NotCompiled: {
      status: 'Unknown',
      meaning: 'Not known while nobody answers for the agent.',
      remedy: 'See the condition Owned.',
    },
  },
  SandboxReady: {
    SandboxRunning: so('The pod is on a node and its containers run.'),
    NoPod: because('There is no pod, and the condition Ready says why.', 'See the condition Ready.'),
    Starting: { status: 'Unknown', meaning: 'The pod is on the way.', remedy: 'Wait.' },
    ...POD_REASONS,
  },
  Granted: {
    NotRequired: {
      status: 'Unknown',
      meaning: 'This version asks for no grant: the policies alone bound the agent.',
      remedy: 'Nothing.',
    },
  },
  EgressEnforced: {
    NotMeasured: {
      status: 'Unknown',
      meaning: 'The NetworkPolicy is written; whether the network obeys it is not measured by this version.',
      remedy: 'See that the cluster enforces NetworkPolicy, as `npm run cluster:up` does with a canary.',
    },
  },
  Frozen: {
    BreakerOpen: {
      status: 'True',
      meaning: 'A breaker of a policy opened; the message says which, when and why. Every call is denied.',
      remedy: 'Find out why, with `kubectl remit timeline NAME`; then `kubectl remit unfreeze NAME`.',
    },
    NotFrozen: because('The agent is not frozen. To stop it now, set `spec.suspended`.', 'Nothing.'),
  },
} satisfies Record<string, Record<string, Row>>
