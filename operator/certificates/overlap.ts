/** Something with a time to live that others must know before it is used: an authority, a signing key. */
export interface Aging {
  /** Milliseconds since the epoch. */
  createdAt: number
}
export interface Overlap<T extends Aging> {
  /** Known to all: those whose life lasts, and the one in use. Oldest first. */
  known: T[]
  /** The one that signs now; undefined when there is none at all. */
  active: T | undefined
  /** A new one is due: to be made known now, and used later. */
  due: boolean
  /** When the answer changes next. */
  nextAt: number
}

/**
 * When to make, use and forget the generations of one secret with a life of `lifeMs`. At half of the newest one's life
 * the next is made known; at two thirds, a sixth of a life later, it is used; the old one stays known until its life
 * ends. One that is past its life but has no known successor stays in use: only it can introduce the next.
 */
export const overlap = <T extends Aging>(items: T[], now: number, lifeMs: number): Overlap<T> => {
  const sorted = [...items].sort((a, b) => a.createdAt - b.createdAt)
  const knownFor = lifeMs / 6
  const ripe = sorted.filter(({ createdAt }) => now >= createdAt + knownFor)
  const active = ripe.at(-1) ?? sorted[0]
  const known = sorted.filter((item) => item === active || now < item.createdAt + lifeMs)
  const newest = known.at(-1)
  const moments = known.flatMap(({ createdAt }) => [createdAt + knownFor, createdAt + lifeMs / 2, createdAt + lifeMs])
  return {
    known,
    active,
    due: !newest || now >= newest.createdAt + lifeMs / 2,
    nextAt: Math.min(...moments.filter((at) => at > now), now + lifeMs / 2),
  }
}
