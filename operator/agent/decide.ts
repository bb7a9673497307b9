import type { AgentIdentityStatus, AgentRemit } from '../../lib/api/gen/types.ts'
import { agentObjectName, LABEL_AGENT, LABEL_AGENT_ID } from '../../lib/api/names.ts'
import type { Remit, SignedRemit } from '../../lib/api/remit.ts'
import { ownerReference } from '../../lib/core/pod/agent-pod.ts'
import type { Desired } from '../../lib/kube/apply.ts'
import type { Pod, ServiceAccount } from '../../lib/kube/resources.ts'
import { isOf, isPodOf } from './belongs.ts'
import { conditionsOf, type Told } from './conditions.ts'
import { type Facts, factsOf } from './facts.ts'
import { type FencePlan, planFence } from './fence-plan.ts'
import { firstStatusAt } from './first-status.ts'
import { lastFreeze, thawAt } from './freeze.ts'
import { type PodPlan, planPod } from './pod-plan.ts'
import { digestOf, nextRemit, signedByUs } from './remit.ts'
import { frozenVerdict, obstacle, type Verdict } from './verdict.ts'
import type { World } from './world.ts'

/** What to do, in this order; what is absent is left as it is. */
export interface Plan {
  account?: Desired<ServiceAccount>
  fence: FencePlan
  remit?: SignedRemit
  /** Pods to end now; what else is removed waits until they are gone. */
  endPods: Pod[]
  removeAccounts: ServiceAccount[]
  removeRemits: AgentRemit[]
  pod: PodPlan
  /** The finalizer of the AgentIdentity: `release` lets it go, since nothing is left. */
  finalizer: 'add' | 'release' | 'keep'
  /** Absent where there is nothing to tell, or nothing yet. */
  status?: AgentStatus
  /** Milliseconds since the epoch: look again then, though nothing has changed. */
  lookAgainAt?: number
}
/** A status but for what other writers own (counters) and for transition times. */
export interface AgentStatus extends Omit<AgentIdentityStatus, 'conditions' | 'calls' | 'denied' | 'lastAction'> {
  conditions: Told[]
}

const nothing: Plan = {
  fence: { apply: [], remove: [], stands: false },
  endPods: [],
  removeAccounts: [],
  removeRemits: [],
  pod: { do: 'nothing' },
  finalizer: 'keep',
}

/** Takes away what is not the living agent's of that UID (all, without one): pods, and when they are gone the rest. */
const clear = (world: World, uid?: string): Plan | undefined => {
  const strange = (object: Parameters<ReturnType<typeof isOf>>[0]) => uid === undefined || !isOf(uid)(object)
  const pods = world.pods.filter((pod) => uid === undefined || !isPodOf(uid)(pod))
  const endPods = pods.filter(({ metadata }) => !metadata.deletionTimestamp)
  if (pods.length > 0) return { ...nothing, endPods }
  const fences = world.fences.filter(strange)
  const accounts = world.accounts.filter(strange)
  const remits = world.remits.filter(strange)
  if (fences.length + accounts.length + remits.length === 0) return undefined
  return { ...nothing, fence: { ...nothing.fence, remove: fences }, removeAccounts: accounts, removeRemits: remits }
}

/** What the agent may do now. Without authority, the remit says so as well: the sidecar must not have to guess. */
const wantedRemit = (world: World, facts: Facts, verdict: Verdict): Remit | undefined => {
  if (!world.trust) return undefined
  const base = facts.remit ?? signedByUs(world.remits[0], world.trust, world.agent!.metadata.uid ?? '')
  if (!base) return undefined
  if (verdict.stance === 'run' || verdict.stance === 'keep') return base
  return verdict.reason === 'RemitExpired' && facts.remit ? base : { ...base, suspended: true }
}

const statusOf = (
  world: World,
  facts: Facts,
  verdict: Verdict,
  restarts: number,
  remit: SignedRemit | undefined,
): AgentStatus => {
  const agent = world.agent!
  const pod = world.pods.find(isPodOf(agent.metadata.uid))
  const stored = world.trust ? signedByUs(world.remits[0], world.trust, agent.metadata.uid ?? '') : undefined
  const current = remit?.remit ?? stored
  return {
    observedGeneration: agent.metadata.generation,
    agentID: agent.metadata.uid,
    phase: frozenVerdict(verdict, facts, world).phase,
    onCall: facts.duty?.names.join(', '),
    policy: agent.spec.policyRefs.map(({ name }) => name).join(', '),
    remit: current ? { digest: digestOf(current), generation: current.generation } : agent.status?.remit,
    restarts,
    podName: pod?.metadata.name,
    frozen: lastFreeze(world),
    conditions: conditionsOf(world, facts, verdict, pod !== undefined),
  }
}

const earliest = (...times: (number | undefined)[]): number | undefined => {
  const given = times.filter((time) => time !== undefined)
  return given.length > 0 ? Math.min(...given) : undefined
}

/** What the operator does about one agent: pure, from the world as the caches show it. */
export const decideAgent = (world: World): Plan => {
  const { agent, trust, now } = world
  if (!agent) return clear(world) ?? nothing
  const uid = agent.metadata.uid
  const deleted = agent.metadata.deletionTimestamp !== undefined
  const finalizer = deleted ? 'keep' : 'add'

  // Left over from an agent of the same name that was removed by force: it inherits nothing.
  const strays = clear(world, uid)
  if (strays) return { ...strays, finalizer }
  if (deleted && world.pods.length === 0) {
    const rest = clear(world)
    return { ...(rest ?? nothing), finalizer: 'release' }
  }

  const facts = factsOf(world)
  const against = obstacle(world, facts)
  const open = !against || against.stance === 'keep'
  // Of an agent that is going nothing is made any more: its namespace may be going too, and would refuse it.
  const fence = deleted
    ? nothing.fence
    : planFence(world, open ? [...facts.ledgerTargets, ...facts.targets] : facts.ledgerTargets)
  const account = world.accounts.find(({ metadata }) => metadata.name === agentObjectName(agent.metadata.name))
  const running = against ? undefined : planPod(world, { account: account?.metadata.uid, fenced: fence.stands })
  const verdict = against ?? running!.verdict
  const wanted = wantedRemit(world, facts, verdict)
  const signed =
    wanted && trust && !(deleted && world.remits.length === 0)
      ? nextRemit({
          wanted,
          stored: world.remits[0],
          lastGeneration: agent.status?.remit?.generation,
          trust,
          epoch: world.epoch,
          now,
        })
      : undefined
  const statusDue = firstStatusAt(world, verdict)
  const labels = { [LABEL_AGENT]: agent.metadata.name, [LABEL_AGENT_ID]: uid ?? '' }
  const expiry = agent.spec.expiresAt ? Date.parse(agent.spec.expiresAt) : undefined
  return {
    ...nothing,
    finalizer,
    account: deleted
      ? undefined
      : {
          metadata: {
            name: agentObjectName(agent.metadata.name),
            namespace: world.namespace,
            labels,
            ownerReferences: [ownerReference(agent)],
          },
          automountServiceAccountToken: false,
        },
    fence,
    remit: signed,
    endPods: verdict.stance === 'stop' ? world.pods.filter(({ metadata }) => !metadata.deletionTimestamp) : [],
    pod: running?.plan ?? { do: 'nothing' },
    status: statusDue
      ? undefined
      : statusOf(world, facts, verdict, running?.restarts ?? agent.status?.restarts ?? 0, signed),
    lookAgainAt: earliest(
      statusDue,
      verdict.until,
      thawAt(world),
      expiry !== undefined && expiry > now ? expiry : undefined,
      facts.duty?.until ? Date.parse(facts.duty.until) : undefined,
    ),
  }
}
