import { agentObjectName } from '../../lib/api/names.ts'
import { type EgressTarget, type NetworkPolicy as Fence, networkPolicy } from '../../lib/core/pod/network-policy.ts'
import type { NetworkPolicy } from '../../lib/kube/resources.ts'
import { isOf } from './belongs.ts'
import type { World } from './world.ts'

/** A dot is in no agent's name, so this is no other agent's fence. */
export const STAND_IN = '.standin'

export interface FencePlan {
  apply: Fence[]
  /** In the same pass, after what is applied. */
  remove: NetworkPolicy[]
  /** The agent's own fence stands, or will once `apply` is done: a pod may be made behind it. */
  stands: boolean
}

/**
 * The fence of a living agent. A NetworkPolicy that is being deleted cannot be kept, only held up by its finalizer: when
 * somebody deletes it under a running pod, a stand-in is put up first, so that the pod is never without one.
 */
export const planFence = (world: World, targets: EgressTarget[]): FencePlan => {
  const agent = world.agent!
  const own = world.fences.filter(isOf(agent.metadata.uid))
  const main = own.find(({ metadata }) => metadata.name === agentObjectName(agent.metadata.name))
  const standIn = own.find(({ metadata }) => metadata.name !== main?.metadata.name)
  const wanted = networkPolicy(agent, targets)
  if (main?.metadata.deletionTimestamp) {
    const apply = world.pods.length > 0 ? [networkPolicy(agent, targets, STAND_IN)] : []
    // A stand-in that is being deleted as well holds nothing: then the next pass sees it gone.
    const held = apply.length > 0 && standIn?.metadata.deletionTimestamp !== undefined
    return { apply: held ? [] : apply, remove: held ? [standIn!] : [main], stands: false }
  }
  return { apply: [wanted], remove: main && standIn ? [standIn] : [], stands: true }
}
