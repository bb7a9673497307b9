import type { Reader } from './store.ts'
import { type Key, type KubeObject, keyOf } from './types.ts'

/** The keys the watch brought something for since a comparison began. */
export interface Observed {
  add(key: Key): void
  has(key: Key): boolean
}

export const observe = (): Observed => new Set<Key>()

/**
 * Compares a cache with a list that was taken beside the running watch. The answer maps each key that differs to the
 * listed object (undefined: the list has none). A key the watch touched since the list was asked for is left out: its
 * event may be newer than the list. What the watch touches after this answer was merely late; the caller waits and
 * drops it. So no version is compared with another: to clients they are opaque.
 */
export const findMisses = <T extends KubeObject>(
  cache: Reader<T>,
  listed: T[],
  observed: Observed,
): Map<Key, T | undefined> => {
  const misses = new Map<Key, T | undefined>()
  const present = new Set<Key>()
  for (const object of listed) {
    const key = keyOf(object)
    present.add(key)
    const cached = cache.get(key)
    const same = cached?.metadata.resourceVersion === object.metadata.resourceVersion
    if (!same && !observed.has(key)) misses.set(key, object)
  }
  for (const key of cache.keys()) if (!present.has(key) && !observed.has(key)) misses.set(key, undefined)
  return misses
}
