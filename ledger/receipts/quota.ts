/** Token buckets by key. `take` gives 0, or the milliseconds until as much would be there; nothing is taken then. */
export interface Quota {
  take(key: string, amount: number): number
}

/** Full buckets are forgotten, so memory is bounded by who was active within the time a bucket needs to fill. */
export const quota = (options: { capacity: number; perSecond: number; now: () => number }): Quota => {
  const { capacity, perSecond, now } = options
  const levels = new Map<string, { level: number; at: number }>()
  let swept = now()

  const levelOf = (key: string, at: number) => {
    const known = levels.get(key)
    return known ? Math.min(capacity, known.level + ((at - known.at) / 1000) * perSecond) : capacity
  }
  const sweep = (at: number) => {
    if (at - swept < 60_000) return
    swept = at
    for (const key of levels.keys()) if (levelOf(key, at) >= capacity) levels.delete(key)
  }
  return {
    take: (key, amount) => {
      const at = now()
      sweep(at)
      const level = levelOf(key, at)
      if (level < amount) return Math.ceil(((amount - level) / perSecond) * 1000)
      levels.set(key, { level: level - amount, at })
      return 0
    },
  }
}
