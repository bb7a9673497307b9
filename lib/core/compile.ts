import type { AgentIdentity, AgentPolicy, ClusterAgentPolicy, OwnerGroup } from '../api/gen/types.ts'
import type { Remit, RemitModel, RemitRule, RemitServer } from '../api/remit.ts'
import { canonical, sha256hex } from './canonical.ts'
import { compareText } from './compare-text.ts'
import { lackingControls, readOnlyRule, withControls } from './controls.ts'
import { describe, type ErrorCode, type ErrorValues } from './errors.ts'
import type { Anchor } from './jws.ts'
import { oncePerObject } from './once.ts'
import { checkOwnerGroup } from './owner-check.ts'
import { checkPolicy, redactionConflicts } from './policy-check.ts'
import type { Problem } from './problem.ts'
import { onCall } from './rotate.ts'

export type { Problem } from './problem.ts'

/** Bytes of a remit's RFC 8785 form. */
export const MAX_REMIT_BYTES = 256 * 1024

/** The `cluster` of a remit that was compiled on somebody's own machine. */
export const STANDALONE = 'standalone'

export interface CompileInput {
  cluster: string
  agent: AgentIdentity
  /** Those of `agent.spec.policyRefs` that exist, in any order. */
  policies: AgentPolicy[]
  /** All of the cluster. */
  clusterPolicies: ClusterAgentPolicy[]
  /** Absent when the group of `agent.spec.ownerRef` does not exist. */
  owner?: OwnerGroup
  /** As resolved: where to dial, and how the credential is sent. */
  servers: RemitServer[]
  models: RemitModel[]
  ledgerCA?: string
  anchors?: Anchor[]
  generation: number
  epoch: number
  /** RFC 3339; also the moment for which somebody must be on call. */
  issuedAt: string
}

/**
 * The remit of one agent from everything it depends on: deterministic, whatever the order of the lists. Any problem in
 * any policy or in the owner group refuses the whole: what it was meant to forbid is not known.
 */
export function compile(input: CompileInput): { remit: Remit } | { problems: Problem[] } {
  const { agent } = input
  const policies = [...input.policies].sort(byName)
  const clusterPolicies = [...input.clusterPolicies].sort(byName)
  const problems = [
    ...missing(input),
    ...policies.flatMap((policy) => within(policy, checked(policy.spec))),
    ...clusterPolicies.flatMap((policy) => within(policy, checkedForCluster(policy.spec))),
    ...ownerProblems(input),
    ...controlProblems(input),
  ]
  if (problems.length > 0 || input.owner === undefined) return { problems }
  const enforced = policies.filter((policy) => policy.spec.mode !== 'Observe')
  const all = [...policies, ...clusterPolicies]
  const { purpose, task, runbook, createdBy, expiresAt, suspended, unfrozenAt, unfrozenBy } = agent.spec
  const remit: Remit = withoutUndefined({
    version: 1,
    cluster: input.cluster,
    agent: withoutUndefined({
      id: uidOf(agent),
      namespace: namespaceOf(agent),
      name: agent.metadata.name,
      purpose,
      task,
      runbook,
      createdBy,
    }),
    generation: input.generation,
    epoch: input.epoch,
    issuedAt: input.issuedAt,
    expiresAt,
    suspended,
    unfrozen: unfrozenAt === undefined || unfrozenBy === undefined ? undefined : { ...unfrozenBy, at: unfrozenAt },
    owner: { group: input.owner.metadata.name, spec: input.owner.spec },
    observing: enforced.length === 0 && policies.length > 0 ? true : undefined,
    rules: all.flatMap(rulesOf),
    pins: some(all.flatMap((policy) => (policy.spec.pins ?? []).map((pin) => ({ ...commonOf(policy), ...pin })))),
    redactions: some(
      all.flatMap((policy) => (policy.spec.redact ?? []).map((each) => ({ ...commonOf(policy), ...each }))),
    ),
    breakers: some(
      all.flatMap((policy) => (policy.spec.breaker ? [{ ...commonOf(policy), ...policy.spec.breaker }] : [])),
    ),
    servers: [...input.servers].sort((a, b) => compareText(a.name, b.name)),
    models: [...input.models].sort((a, b) => compareText(a.name, b.name)),
    egress: { cidrs: enforced.flatMap((policy) => policy.spec.egress?.cidrs ?? []) },
    sources: [agent, input.owner, ...policies, ...clusterPolicies].map(source),
    ledgerCA: input.ledgerCA,
    anchors: input.anchors,
  })
  const conflicts = redactionConflicts(remit.rules, remit.redactions ?? [])
  if (conflicts.length > 0) return { problems: conflicts }
  const bytes = Buffer.byteLength(canonical(remit))
  if (bytes > MAX_REMIT_BYTES) return { problems: [named('spec.policyRefs', 'RemitTooLarge', { bytes })] }
  return { remit }
}

// A thousand agents have a handful of policies between them.
const checked = oncePerObject((spec: AgentPolicy['spec']) => checkPolicy(spec))
const checkedForCluster = oncePerObject((spec: ClusterAgentPolicy['spec']) => checkPolicy(spec, 'Cluster'))
const checkedGroup = oncePerObject(checkOwnerGroup)
const digestOf = oncePerObject((spec: Source['spec']) => sha256hex(canonical(spec)))

type Source = AgentIdentity | OwnerGroup | AgentPolicy | ClusterAgentPolicy
type Policy = AgentPolicy | ClusterAgentPolicy

const byName = (a: Source, b: Source): number => compareText(a.metadata.name, b.metadata.name)

function named(field: string, code: ErrorCode, values: ErrorValues, value?: string): Problem {
  const { message, remedy } = describe(code, values)
  return { field, ...(value === undefined ? {} : { value }), code, detail: message.replace(/\.$/, ''), fix: remedy }
}

function missing({ agent, policies, owner }: CompileInput): Problem[] {
  const namespace = namespaceOf(agent)
  const found: Problem[] = []
  agent.spec.policyRefs.forEach(({ name }, index) => {
    if (policies.some((policy) => policy.metadata.name === name && policy.metadata.namespace === namespace)) return
    found.push(named(`spec.policyRefs[${index}].name`, 'PolicyMissing', { name, namespace }, name))
  })
  if (
    policies.length > 0 &&
    policies.some(({ metadata }) => !agent.spec.policyRefs.some(({ name }) => name === metadata.name))
  ) {
    throw new Error('compile was given a policy the agent does not name')
  }
  const { name } = agent.spec.ownerRef
  if (owner === undefined || owner.metadata.name !== name || owner.metadata.namespace !== namespace) {
    found.push(named('spec.ownerRef.name', 'OwnerGroupMissing', { name, namespace }, name))
  }
  return found
}

function ownerProblems({ owner, issuedAt }: CompileInput): Problem[] {
  if (owner === undefined) return []
  const found = checkedGroup(owner.spec)
  if (found.length > 0) return within(owner, found)
  if (onCall(owner.spec, Date.parse(issuedAt)) !== null) return []
  return within(owner, [named('spec.onCall', 'NobodyOnCall', { name: owner.metadata.name })])
}

const within = (object: Source, problems: Problem[]): Problem[] =>
  problems.map((problem) => ({ object: titleOf(object), ...problem }))

function titleOf({ kind, metadata }: Source): string {
  return metadata.namespace === undefined
    ? `${kind} ${metadata.name}`
    : `${kind} ${metadata.namespace}/${metadata.name}`
}

function commonOf({ kind, spec, metadata }: Policy): { policy: string; mode: 'Enforce' | 'Observe' } {
  const scope = kind === 'ClusterAgentPolicy' ? 'cluster' : metadata.namespace
  return { policy: `${scope}/${metadata.name}`, mode: spec.mode ?? 'Enforce' }
}

function rulesOf(policy: Policy): RemitRule[] {
  const { tools = [], guards = [], invariants = [], taint = [], readOnly } = policy.spec
  const { resources = [], prompts = [], requests = [] } = policy.spec
  const common = commonOf(policy)
  return [
    ...tools.map((rule): RemitRule => ({ ...common, type: 'tool', ...withControls(rule) })),
    ...guards.map((rule): RemitRule => ({ ...common, type: 'guard', ...rule })),
    ...invariants.map((rule): RemitRule => ({ ...common, type: 'invariant', ...rule })),
    ...taint.map((rule): RemitRule => ({ ...common, type: 'taint', ...rule })),
    ...(readOnly === true ? [readOnlyRule(common)] : []),
    ...resources.map((rule): RemitRule => ({ ...common, type: 'resource', ...rule })),
    ...prompts.map((rule): RemitRule => ({ ...common, type: 'prompt', ...rule })),
    ...requests.map((rule): RemitRule => ({ ...common, type: 'request', ...rule })),
  ]
}

const some = <T>(list: T[]): T[] | undefined => (list.length === 0 ? undefined : list)

/** Autonomous work that runs by itself needs people and brakes; on a laptop the person in front of it is both. */
function controlProblems({ cluster, agent, policies, clusterPolicies, owner }: CompileInput): Problem[] {
  if (cluster === STANDALONE || owner === undefined) return []
  const breakers = [...policies, ...clusterPolicies].filter(({ spec }) => spec.breaker && spec.mode !== 'Observe')
  const lacking = lackingControls(agent, owner, breakers)
  return policies.flatMap((policy) =>
    (policy.spec.tools ?? []).flatMap((rule, index) =>
      rule.class === 'Autonomous' && withControls(rule).effect === 'Allow' && policy.spec.mode !== 'Observe'
        ? lacking.flatMap(({ what, fix }) => {
            const values = { rule: rule.name, policy: policy.metadata.name, what, fix }
            return within(policy, [named(`spec.tools[${index}]`, 'ControlMissing', values)])
          })
        : [],
    ),
  )
}

function source(object: Source): Remit['sources'][number] {
  const { kind, metadata, spec } = object
  return withoutUndefined({
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    uid: uidOf(object),
    digest: digestOf(spec),
  })
}

function uidOf({ kind, metadata }: Source): string {
  if (!metadata.uid) throw new Error(`${kind} ${metadata.name} has no uid`)
  return metadata.uid
}

function namespaceOf({ metadata }: AgentIdentity): string {
  if (!metadata.namespace) throw new Error(`AgentIdentity ${metadata.name} has no namespace`)
  return metadata.namespace
}

/** Without members that are undefined, so that the object equals what comes back from its JSON. */
const withoutUndefined = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
