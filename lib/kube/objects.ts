import type { Client, Query, RequestOptions } from './client.ts'
import { isExpired, isNotFound } from './errors.ts'
import { pathOf, type Resource, type Target } from './resources.ts'
import type { KubeList, KubeObject } from './types.ts'

type Options = Omit<RequestOptions, 'body' | 'contentType'>
type Named = Target & { name: string }

/** @throws ApiError, 404 among them; see {@link find}. */
export const get = <T extends KubeObject>(
  client: Client,
  kind: Resource<T>,
  target: Named,
  options: Options = {},
): Promise<T> => client.request<T>('GET', pathOf(kind, target), options)

/** The object, or undefined when there is none. */
export const find = <T extends KubeObject>(
  client: Client,
  kind: Resource<T>,
  target: Named,
  options: Options = {},
): Promise<T | undefined> =>
  get(client, kind, target, options).catch((error) => {
    if (isNotFound(error)) return undefined
    throw error
  })

export interface ListOptions extends Options {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Objects a page, 100 unless told: a page is held as text and parsed, and caches are filled beside each other. */
  pageSize?: number
}

interface Trimming<T> {
  /** Called with each object as its page comes, so that of a large collection only what it gives back is held. */
  each?: (object: T) => T
}

/**
 * The whole collection, fetched in pages of one consistent snapshot. When the snapshot expires between two pages it is
 * fetched again in one piece, as client-go's pager does.
 */
export const list = async <T extends KubeObject>(
  client: Client,
  kind: Resource<T>,
  {
    namespace,
    labelSelector,
    fieldSelector,
    pageSize = 100,
    each = (object) => object,
    ...options
  }: ListOptions & Trimming<T> = {},
): Promise<KubeList<T>> => {
  const path = pathOf(kind, { namespace })
  const page = (query: Query) =>
    client.request<KubeList<T>>('GET', path, {
      ...options,
      query: { ...options.query, labelSelector, fieldSelector, ...query },
    })
  const take = (found: KubeList<T>): T[] => withKind(kind, found.items ?? []).map(each)
  const first = await page({ limit: pageSize })
  const items = take(first)
  let next = first.metadata.continue
  while (next) {
    let more: KubeList<T>
    try {
      more = await page({ limit: pageSize, continue: next })
    } catch (error) {
      if (!isExpired(error)) throw error
      const whole = await page({})
      return { metadata: whole.metadata, items: take(whole) }
    }
    items.push(...take(more))
    next = more.metadata.continue
  }
  return { metadata: { resourceVersion: first.metadata.resourceVersion }, items }
}

/** Items of a list come without apiVersion and kind; what is watched has them. One shape for both. */
const withKind = <T extends KubeObject>(kind: Resource<T>, items: T[]): T[] => {
  for (const item of items) {
    item.apiVersion ??= kind.apiVersion
    item.kind ??= kind.kind
  }
  return items
}

/** POST. The namespace is the object's own. `target` names a subresource such as `token` or `eviction`. */
export const create = <T extends KubeObject, R = T>(
  client: Client,
  kind: Resource<T>,
  object: T,
  options: Options & { target?: Named } = {},
): Promise<R> => {
  const { target, ...rest } = options
  const path = pathOf(kind, target ?? { namespace: object.metadata?.namespace })
  const body = { apiVersion: kind.apiVersion, kind: kind.kind, ...object }
  return client.request<R>('POST', path, { ...rest, body })
}

/** PUT of the whole object; with `metadata.resourceVersion` it is refused (409) if anything changed since. */
export const update = <T extends KubeObject>(
  client: Client,
  kind: Resource<T>,
  object: T,
  options: Options & { subresource?: string } = {},
): Promise<T> => {
  const { subresource, ...rest } = options
  const { namespace, name } = object.metadata
  const body = { apiVersion: kind.apiVersion, kind: kind.kind, ...object }
  return client.request<T>('PUT', pathOf(kind, { namespace, name, subresource }), { ...rest, body })
}

/** JSON merge patch (RFC 7396): null removes, lists are replaced. */
export const mergePatch = <T extends KubeObject>(
  client: Client,
  kind: Resource<T>,
  target: Named,
  patch: object,
  options: Options = {},
): Promise<T> =>
  client.request<T>('PATCH', pathOf(kind, target), {
    ...options,
    contentType: 'application/merge-patch+json',
    body: patch,
  })

export interface DeleteOptions extends Options {
  /** Only if the object is still this one, so that one made again under the same name is left alone. */
  uid?: string
  resourceVersion?: string
  gracePeriodSeconds?: number
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
}

/** Asks for deletion. True if there was something to delete; false if it was gone (404). */
export const remove = async (
  client: Client,
  kind: Resource,
  target: Named,
  { uid, resourceVersion, gracePeriodSeconds, propagationPolicy, ...options }: DeleteOptions = {},
): Promise<boolean> => {
  const preconditions = uid || resourceVersion ? { uid, resourceVersion } : undefined
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds, propagationPolicy, preconditions }
  try {
    await client.request('DELETE', pathOf(kind, target), { ...options, body })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}
