/**
 * A pure function of an object, worked out once for each object that cannot change any more, as those of a cache, which
 * are frozen to their depths. Others may be changed between two calls and are looked at each time.
 */
export const oncePerObject = <T extends object, R>(of: (object: T) => R): ((object: T) => R) => {
  const known = new WeakMap<T, { result: R }>()
  return (object) => {
    const before = known.get(object)
    if (before) return before.result
    const result = of(object)
    if (Object.isFrozen(object)) known.set(object, { result })
    return result
  }
}
