import { LRUCache } from 'lru-cache'

export interface RememberedOptions<T> {
  /** For how many milliseconds an answer is taken for true; 0 for one that is asked for each time. */
  ms: number | ((answer: T) => number)
  /** Answers kept at once, those not asked for longest are forgotten first; 1,000 unless told. */
  most?: number
  /** Milliseconds since whenever, more than 0; of this process unless told. */
  now?: () => number
}

/**
 * Answers to questions by their keys: each is asked once for all who want to know at the same time, and again when its
 * time is over. What failed is asked again at once.
 */
export const remembered = <T extends string | boolean | object>(options: RememberedOptions<T>) => {
  const { ms, most = 1_000, now = () => performance.now() } = options
  const msOf = (answer: T) => (typeof ms === 'number' ? ms : ms(answer))
  const cache = new LRUCache<string, { answer: T }, () => Promise<T>>({
    max: most,
    // That an answer has a time at all; which one is told with it.
    ttl: Number.MAX_SAFE_INTEGER,
    ttlResolution: 0,
    perf: { now },
    fetchMethod: async (_key, _stale, { context: ask, options: kept }) => {
      const answer = await ask()
      kept.ttl = Math.max(msOf(answer), 1)
      return { answer }
    },
  })
  return async (key: string, ask: () => Promise<T>): Promise<T> => {
    const { answer } = await cache.forceFetch(key, { context: ask })
    if (msOf(answer) <= 0) cache.delete(key)
    return answer
  }
}
