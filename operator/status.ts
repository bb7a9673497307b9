import type { Condition } from '../lib/api/gen/types.ts'
import { applyIfChanged, type Desired } from '../lib/kube/apply.ts'
import type { Client } from '../lib/kube/client.ts'
import { setCondition } from '../lib/kube/conditions.ts'
import type { Resource } from '../lib/kube/resources.ts'
import type { KubeObject } from '../lib/kube/types.ts'
import { FIELD_MANAGER } from './caches.ts'

interface WithStatus {
  metadata: { name: string; namespace?: string; uid?: string; generation?: number }
  status?: { conditions?: Condition[] }
}
export interface StatusWrite {
  client: Client
  kind: Resource
  signal: AbortSignal
  now: number
}

/** Writes a status with one condition, unless it is there already. */
export const writeSimpleStatus = async (
  { client, kind, signal, now }: StatusWrite,
  object: WithStatus,
  fields: Record<string, unknown>,
  condition: Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>,
): Promise<void> => {
  const { name, namespace, uid, generation } = object.metadata
  const conditions = setCondition(
    object.status?.conditions ?? [],
    { ...condition, observedGeneration: generation },
    now,
  )
  const status = JSON.parse(JSON.stringify({ ...fields, observedGeneration: generation, conditions }))
  const desired = { metadata: { name, namespace, uid }, status } as Desired<KubeObject>
  await applyIfChanged(client, kind, desired, object as unknown as KubeObject, {
    fieldManager: FIELD_MANAGER,
    subresource: 'status',
    signal,
  })
}
