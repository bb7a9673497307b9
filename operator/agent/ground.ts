import { apply, applyIfChanged, type Desired } from '../../lib/kube/apply.ts'
import type { Client } from '../../lib/kube/client.ts'
import { type NetworkPolicy, networkPolicies, serviceAccounts } from '../../lib/kube/resources.ts'
import type { KubeObject, Logger } from '../../lib/kube/types.ts'
import { FIELD_MANAGER } from '../caches.ts'
import type { Plan } from './decide.ts'
import { sameFence } from './same-fence.ts'
import type { World } from './world.ts'

export interface Hands {
  client: Client
  signal: AbortSignal
  log: Logger
}

/** A list of the world with an object as it is now. */
export const withObject = <T extends KubeObject>(list: T[], object: T): T[] => [
  ...list.filter(({ metadata }) => metadata.name !== object.metadata.name),
  object,
]

/** What a pod stands on, its account and the fence around it; the world with those that had to be made or mended. */
export const prepareGround = async (
  { client, signal }: Hands,
  world: World,
  { account, fence }: Plan,
): Promise<World> => {
  const options = { fieldManager: FIELD_MANAGER, signal }
  let { accounts, fences } = world
  if (account) {
    const cached = accounts.find(({ metadata }) => metadata.name === account.metadata.name)
    const { object, applied } = await applyIfChanged(client, serviceAccounts, account, cached, options)
    if (applied) accounts = withObject(accounts, object)
  }
  for (const each of fence.apply) {
    const cached = fences.find(({ metadata }) => metadata.name === each.metadata.name)
    if (!cached || !sameFence(each, cached))
      fences = withObject(
        fences,
        await apply(client, networkPolicies, each as unknown as Desired<NetworkPolicy>, options),
      )
  }
  return { ...world, accounts, fences }
}
