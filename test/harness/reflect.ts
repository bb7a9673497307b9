/**
 * tsyringe, which @peculiar/x509 stands on, refuses to load without the three `Reflect` functions of the metadata
 * proposal. Side effect only; leaves an implementation that is already there alone.
 */
type Metadata = Map<unknown, unknown>

const known = new WeakMap<object, Metadata>()

const getOwnMetadata = (key: unknown, target: object): unknown => known.get(target)?.get(key)

const getMetadata = (key: unknown, target: object | null): unknown => {
  for (let each = target; each; each = Object.getPrototypeOf(each))
    if (known.get(each)?.has(key)) return getOwnMetadata(key, each)
  return undefined
}

const defineMetadata = (key: unknown, value: unknown, target: object): void => {
  const own = known.get(target) ?? new Map()
  known.set(target, own.set(key, value))
}

if (!('getMetadata' in Reflect)) Object.assign(Reflect, { defineMetadata, getMetadata, getOwnMetadata })
