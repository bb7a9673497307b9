import type { Client, RequestOptions } from './client.ts'
import { changes } from './owned.ts'
import { pathOf, type Resource } from './resources.ts'
import type { KubeObject } from './types.ts'

export interface ApplyOptions extends Pick<RequestOptions, 'signal' | 'timeoutMs'> {
  /** One a controller, and never changed: what it owned under another name stays behind for ever. */
  fieldManager: string
  /** Takes fields over from other managers; true unless told, as controllers should. False gives 409. */
  force?: boolean
  subresource?: 'status'
  dryRun?: boolean
}

/** What is wanted: the fields this manager has an opinion on, and no others. */
export type Desired<T extends KubeObject> = DeepPartial<Omit<T, 'metadata'>> & {
  metadata: Partial<T['metadata']> & { name: string }
}
type DeepPartial<T> = T extends (infer Item)[]
  ? DeepPartial<Item>[]
  : T extends object
    ? { [Field in keyof T]?: DeepPartial<T[Field]> }
    : T

/**
 * Server-side apply: creates the object, or makes the fields given so and removes those this manager gave before and
 * does not give now. With `metadata.uid` it only ever changes that very object (409 otherwise).
 * @throws ApiError 409 with the other managers' names when `force` is false.
 */
export const apply = <T extends KubeObject>(
  client: Client,
  kind: Resource<T>,
  desired: Desired<T>,
  { fieldManager, force = true, subresource, dryRun, ...options }: ApplyOptions,
): Promise<T> => {
  const { namespace, name } = desired.metadata
  return client.request<T>('PATCH', pathOf(kind, { namespace, name, subresource }), {
    ...options,
    query: { fieldManager, force, dryRun: dryRun ? 'All' : undefined },
    contentType: 'application/apply-patch+yaml',
    body: { ...desired, apiVersion: kind.apiVersion, kind: kind.kind },
  })
}

/**
 * {@link apply}, unless the cached object already has every field desired and this manager owns no other. The cache must
 * have kept this manager's managed fields (`keepManager`); without them it always applies. Write quantities and times in
 * the server's own form (`100m`, not `0.1`), else every call applies.
 * @returns the object, and whether anything was sent.
 */
export const applyIfChanged = async <T extends KubeObject>(
  client: Client,
  kind: Resource<T>,
  desired: Desired<T>,
  cached: T | undefined,
  options: ApplyOptions,
): Promise<{ object: T; applied: boolean }> => {
  if (cached && !wouldChange(desired, cached, options)) return { object: cached, applied: false }
  return { object: await apply(client, kind, desired, options), applied: true }
}

/** Whether an apply would change anything but bookkeeping, judged by the live object and its managed fields. */
export const wouldChange = <T extends KubeObject>(
  desired: Desired<T>,
  live: T,
  { fieldManager, subresource = '' }: { fieldManager: string; subresource?: string },
): boolean => {
  const entry = live.metadata.managedFields?.find(
    (each) =>
      each.manager === fieldManager &&
      each.operation === 'Apply' &&
      (each.subresource ?? '') === (subresource as string),
  )
  if (!entry?.fieldsV1) return true
  return changes(withoutIdentity(desired), live, entry.fieldsV1 as Record<string, never>)
}

/** Names an object, is never owned. */
const withoutIdentity = <T extends KubeObject>(desired: Desired<T>) => {
  const { apiVersion: _a, kind: _k, metadata, ...rest } = desired as KubeObject
  const { name: _n, namespace: _s, uid: _u, resourceVersion: _r, ...meta } = metadata
  return Object.keys(meta).length > 0 ? { ...rest, metadata: meta } : rest
}
