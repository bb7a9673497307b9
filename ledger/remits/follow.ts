import type { SignedRemit } from '../../lib/api/remit.ts'
import type { Client } from '../../lib/kube/client.ts'
import { createInformer } from '../../lib/kube/informer.ts'
import { createIntern } from '../../lib/kube/intern.ts'
import { agentRemits, typed } from '../../lib/kube/resources.ts'
import { shareRemit } from '../../lib/kube/share-remit.ts'
import { dropManagedFields } from '../../lib/kube/trim.ts'
import { type KubeObject, splitKey } from '../../lib/kube/types.ts'
import type { Logger } from '../../lib/service/log.ts'
import type { Remits } from './held.ts'

const isRemit = (spec: unknown): spec is SignedRemit => {
  const { remit, signature } = (spec ?? {}) as Partial<SignedRemit>
  return (
    typeof signature === 'string' &&
    typeof remit?.agent?.id === 'string' &&
    Number.isSafeInteger(remit.generation) &&
    Number.isSafeInteger(remit.epoch)
  )
}

/** Keeps the remits as the API server has them, until the signal aborts. */
export const followRemits = (options: { client: Client; remits: Remits; log: Logger; signal: AbortSignal }): void => {
  const { client, remits, log, signal } = options
  const intern = createIntern()
  const informer = createInformer({
    client,
    kind: typed<KubeObject & { spec?: unknown }>(agentRemits),
    log,
    transform: (object) => {
      if (isRemit(object.spec)) shareRemit(object.spec.remit, intern)
      return dropManagedFields(object)
    },
  })
  informer.onChange(({ key, new: object }) => {
    const { namespace = '', name } = splitKey(key)
    if (!object) remits.withdraw(namespace, name)
    else if (isRemit(object.spec)) remits.offer(namespace, name, object.spec)
    else log.error({ namespace, agent: name }, 'AgentRemit holds no remit')
  })
  const dropGone = () => {
    for (const key of remits.names()) {
      const { namespace = '', name } = splitKey(key)
      if (!informer.cache.get(key)) remits.withdraw(namespace, name)
    }
  }
  informer.synced().then(dropGone, () => undefined)
  void informer.run(signal)
}
