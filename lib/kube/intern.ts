/** Gives equal values one and the same object, the one that came first. */
export type Intern = <T>(value: T) => T

/**
 * For what many objects of a cache have in common: the rules of a policy in a thousand remits are then kept once. Those
 * asked for longest ago are forgotten beyond `max`; what was given out stays as it is.
 */
export const createIntern = (max = 1_000): Intern => {
  const known = new Map<string, unknown>()
  return <T>(value: T): T => {
    if (value === undefined) return value
    const text = JSON.stringify(value)
    const kept = known.has(text) ? (known.get(text) as T) : value
    known.delete(text)
    known.set(text, kept)
    if (known.size > max) known.delete(known.keys().next().value as string)
    return kept
  }
}
