import { LRUCache } from 'lru-cache'

export interface RememberedOptions<T> {
  /** For how long an answer is taken for true, in milliseconds. */
  ms: number
  /** Milliseconds that only grow, from wherever; of this process unless told. */
  now?: () => number
  /** Which answers are; all unless told. */
  keep?: (answer: T) => boolean
}

/** What memory it may take, whoever asks for what. */
const MOST = 1_000

/**
 * Questions by their keys: each is asked once for all who want to know at the same time, and for `ms` after it was
 * answered. What failed is asked again.
 */
export const remembered = <T extends boolean | object>({
  ms,
  now = () => performance.now(),
  keep = () => true,
}: RememberedOptions<T>) => {
  const cache = new LRUCache<string, { answer: T }, () => Promise<T>>({
    max: MOST,
    ttl: ms,
    ttlResolution: 0,
    perf: { now },
    fetchMethod: async (_key, _stale, { context: ask }) => ({ answer: await ask() }),
  })
  return async (key: string, ask: () => Promise<T>): Promise<T> => {
    const { answer } = await cache.forceFetch(key, { context: ask })
    if (!keep(answer)) cache.delete(key)
    return answer
  }
}
