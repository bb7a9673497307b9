/**
 * tsyringe, which @peculiar/x509 stands on, refuses to load without these three functions of the metadata proposal.
 * Imported for its effect, before it; what is already there is left alone.
 */
const metadata = new WeakMap<object, Map<unknown, unknown>>()

const own = (key: unknown, target: object): unknown => metadata.get(target)?.get(key)

const inherited = (key: unknown, target: object): unknown => {
  for (let at: object | null = target; at; at = Object.getPrototypeOf(at))
    if (metadata.get(at)?.has(key)) return own(key, at)
  return undefined
}

const define = (key: unknown, value: unknown, target: object): void => {
  const values = metadata.get(target) ?? new Map<unknown, unknown>()
  metadata.set(target, values.set(key, value))
}

if (!('getMetadata' in Reflect))
  Object.assign(Reflect, { defineMetadata: define, getMetadata: inherited, getOwnMetadata: own })
