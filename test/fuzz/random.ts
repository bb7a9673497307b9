/** A stream of choices that a seed and an index fix: request number 4711 of seed 7 is the same in every run. */
export interface Random {
  /** A whole number from 0 to `below` - 1. */
  below: (below: number) => number
  chance: (share: number) => boolean
  pick: <T>(values: readonly T[]) => T
  /** One of several ways, by weight. */
  weighted: <T>(ways: readonly (readonly [weight: number, way: () => T])[]) => T
}

/** mulberry32, its state mixed from both numbers. */
export const random = (seed: number, index: number): Random => {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)) | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return {
    below,
    chance: (share) => next() < share,
    pick: (values) => values[below(values.length)]!,
    weighted: (ways) => {
      let left = next() * ways.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, way] of ways) {
        left -= weight
        if (left < 0) return way()
      }
      return ways[0]![1]()
    },
  }
}
