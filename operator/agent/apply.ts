import type { AgentIdentity, AgentIdentityStatus, AgentRemit } from '../../lib/api/gen/types.ts'
import { ANNOTATION_DIGEST, FINALIZER_AGENT, FINALIZER_NETWORK } from '../../lib/api/names.ts'
import type { AgentPod } from '../../lib/core/pod/agent-pod.ts'
import { applyIfChanged, type Desired } from '../../lib/kube/apply.ts'
import { setCondition } from '../../lib/kube/conditions.ts'
import { ApiError, isAlreadyExists, isNotFound } from '../../lib/kube/errors.ts'
import { create, find, get, mergePatch, remove, update } from '../../lib/kube/objects.ts'
import { networkPolicies, type Pod, pods, type Resource, serviceAccounts } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { FIELD_MANAGER, kinds } from '../caches.ts'
import { conditionsOf } from './conditions.ts'
import type { AgentStatus, Plan } from './decide.ts'
import { factsOf } from './facts.ts'
import { type Hands, prepareGround, withObject } from './ground.ts'
import { refusalOf } from './refusal.ts'
import { digestOf } from './remit.ts'
import { say } from './verdict.ts'
import type { World } from './world.ts'

/** Lets an object go by taking our finalizer away, from this very object only. */
const release = async <T extends KubeObject>(
  { client, signal }: Hands,
  kind: Resource<T>,
  object: T,
  finalizer: string,
) => {
  const { namespace, name, uid, finalizers = [] } = object.metadata
  if (!finalizers.includes(finalizer)) return
  const patch = { metadata: { uid, finalizers: finalizers.filter((each) => each !== finalizer) } }
  await mergePatch(client, kind, { namespace, name }, patch, { signal }).catch((error) => {
    if (!isNotFound(error)) throw error
  })
}

const removeExactly = ({ client, signal }: Hands, kind: Resource, { metadata: { namespace, name, uid } }: KubeObject) =>
  remove(client, kind, { namespace, name }, { uid, signal, propagationPolicy: 'Background' })

/** What came of a plan: the world with what was made, as the API server answered it; the same one when nothing was. */
export interface Done {
  world: World
  refused?: Refused
}

/** The API server took no pod; `error` is thrown on when the status is written, so that it is tried again with growing delay. */
export interface Refused {
  error: unknown
  status: AgentStatus
}

/** A pod is made of what its agent is now: a cache a moment behind would start one that was just stopped or has completed. */
const assureCurrent = async ({ client, signal }: Hands, { agent }: World) => {
  const { namespace, name, uid, generation } = agent!.metadata
  const live = await get(client, kinds.agents, { namespace, name }, { signal })
  const { metadata, status } = live
  const same =
    metadata.uid === uid &&
    metadata.generation === generation &&
    !metadata.deletionTimestamp &&
    (status?.phase === 'Completed') === (agent!.status?.phase === 'Completed')
  if (!same) throw new ApiError(409, { reason: 'Conflict', message: 'the cache is behind the AgentIdentity' })
}

const makePod = async (hands: Hands, world: World, plan: Plan, pod: AgentPod): Promise<Done> => {
  const { client, signal, log } = hands
  await assureCurrent(hands, world)
  try {
    const made = await create(client, pods, pod as unknown as Pod, { signal })
    log.info({ pod: pod.metadata.name, restarts: plan.status?.restarts }, 'pod made')
    return { world: { ...world, pods: withObject(world.pods, made) } }
  } catch (error) {
    if (isAlreadyExists(error)) {
      const other = await find(client, pods, { namespace: world.namespace, name: pod.metadata.name }, { signal })
      const mine = other?.metadata.ownerReferences?.some(({ uid }) => uid === world.agent?.metadata.uid)
      const labelled =
        other && Object.entries(pod.metadata.labels).every(([key, value]) => other.metadata.labels?.[key] === value)
      // Made a moment ago and not in the cache yet; or ours, but stripped of the labels its fence selects it by.
      if (mine && !labelled) await removeExactly(hands, pods, other!)
      throw error
    }
    const refusal = refusalOf(error)
    if (!refusal || !plan.status) throw error
    const told = say(refusal.code, { detail: refusal.detail })
    const verdict = { stance: 'run', phase: 'Pending', ...told } as const
    const conditions = conditionsOf(world, factsOf(world), verdict, false)
    return { world, refused: { error, status: { ...plan.status, phase: 'Pending', conditions } } }
  }
}

/** The AgentIdentity with our finalizer: until we let it go, it is there to tell what belongs to it. */
const holdAgent = async ({ client, signal }: Hands, world: World, plan: Plan): Promise<World> => {
  const { agent } = world
  if (!agent || plan.finalizer !== 'add' || agent.metadata.finalizers?.includes(FINALIZER_AGENT)) return world
  const { namespace, name, resourceVersion, finalizers = [] } = agent.metadata
  const patch = { metadata: { resourceVersion, finalizers: [...finalizers, FINALIZER_AGENT] } }
  return { ...world, agent: await mergePatch(client, kinds.agents, { namespace, name }, patch, { signal }) }
}

/** Everything but the status, in the order that is never unsafe: fence and remit before a pod, pods gone before either goes. */
export const applyPlan = async (hands: Hands, before: World, plan: Plan): Promise<Done> => {
  const { log } = hands
  let world = await holdAgent(hands, before, plan)
  const { agent } = world
  const standing = await prepareGround(hands, world, plan).then(
    (ground) => {
      world = ground
      return undefined
    },
    (error: unknown) => ({ error }),
  )
  // Whatever keeps the ground from being prepared, authority that has ended ends, and pods that must go do.
  if (plan.remit && agent) world = await writeRemit(hands, world, plan)
  for (const pod of plan.endPods) {
    await removeExactly(hands, pods, pod)
    log.info({ pod: pod.metadata.name, reason: plan.status?.phase ?? 'agent gone' }, 'pod ended')
  }
  if (standing) throw standing.error
  for (const fence of plan.fence.remove) {
    if (!fence.metadata.deletionTimestamp) await removeExactly(hands, networkPolicies, fence)
    await release(hands, networkPolicies, fence, FINALIZER_NETWORK)
  }
  for (const remit of plan.removeRemits) await removeExactly(hands, kinds.remits, remit as KubeObject)
  for (const account of plan.removeAccounts) await removeExactly(hands, serviceAccounts, account)
  if (agent && plan.finalizer === 'release')
    await release(hands, kinds.agents, agent as KubeObject & AgentIdentity, FINALIZER_AGENT)
  return applyPod(hands, world, plan)
}

const applyPod = async (hands: Hands, world: World, plan: Plan): Promise<Done> => {
  const { pod } = plan
  if (pod.do === 'nothing') return { world }
  if (pod.do === 'create') return makePod(hands, world, plan, pod.pod)
  const target = { namespace: world.namespace, name: `agent-${world.name}` }
  // A pod that has ended has nothing left to wait for.
  const gracePeriodSeconds = pod.do === 'replace' ? 0 : undefined
  await remove(hands.client, pods, target, { uid: pod.uid, signal: hands.signal, gracePeriodSeconds })
  return pod.do === 'replace' ? makePod(hands, world, plan, pod.pod) : { world }
}

/** The whole object or nothing, and only over the one that was seen: what others put into it does not survive. */
const writeRemit = async ({ client, signal, log }: Hands, world: World, { remit, account }: Plan): Promise<World> => {
  const stored = world.remits[0]
  const labels = account?.metadata.labels ?? stored?.metadata.labels
  const ownerReferences = account?.metadata.ownerReferences ?? stored?.metadata.ownerReferences
  // For `kubectl get agentremits`; whoever verifies computes the digest.
  const annotations = remit && { [ANNOTATION_DIGEST]: digestOf(remit.remit).slice(0, 12) }
  const { resourceVersion, uid } = stored?.metadata ?? {}
  const { name, namespace } = world
  const metadata = { name, namespace, labels, annotations, ownerReferences, resourceVersion, uid }
  const object = { metadata, spec: remit } as unknown as KubeObject & AgentRemit
  const written = stored
    ? await update(client, kinds.remits, object, { signal })
    : await create(client, kinds.remits, object, { signal })
  log.info({ generation: remit?.remit.generation }, 'remit signed')
  return { ...world, remits: [written] }
}

/** The one write of status, left out when nothing changes: then there is no answer. */
export const writeStatus = async (
  { client, signal }: Hands,
  world: World,
  status: AgentStatus,
): Promise<KubeObject | undefined> => {
  const agent = world.agent!
  const before = agent.status?.conditions ?? []
  const conditions = status.conditions.map(
    (told) =>
      setCondition(before, { ...told, observedGeneration: status.observedGeneration }, world.now).find(
        ({ type }) => type === told.type,
      )!,
  )
  const { namespace, name, uid } = agent.metadata
  const body: Partial<AgentIdentityStatus> = { ...status, conditions }
  const desired = { metadata: { namespace, name, uid }, status: JSON.parse(JSON.stringify(body)) }
  const cached = agent as unknown as KubeObject
  const { applied, object } = await applyIfChanged<KubeObject>(
    client,
    kinds.agents as Resource,
    desired as Desired<KubeObject>,
    cached,
    {
      fieldManager: FIELD_MANAGER,
      subresource: 'status',
      signal,
    },
  )
  return applied ? object : undefined
}
