import { type Key, type KubeObject, keyOf } from './types.ts'

/** What happened to one object; both sides are what the cache held and holds, never a wire event. */
export interface Change<T extends KubeObject> {
  key: Key
  old: T | undefined
  new: T | undefined
}

/** The reading side of the cache. Objects are frozen: to change one, copy it. */
export interface Reader<T extends KubeObject> {
  get(key: Key): T | undefined
  list(): T[]
  keys(): Key[]
  /** Objects that the indexer `index` gave `value` for. @throws Error for an index nobody declared. */
  byIndex(index: string, value: string): T[]
  readonly size: number
}

export interface Store<T extends KubeObject> extends Reader<T> {
  /** Freezes the object. */
  upsert(object: T): Change<T> | undefined
  remove(key: Key): Change<T> | undefined
  /** Makes the cache equal to a list and tells the differences. */
  replace(objects: T[]): Change<T>[]
}

export type Indexers<T extends KubeObject> = Record<string, (object: T) => string[]>

export const createStore = <T extends KubeObject>(indexers: Indexers<T> = {}): Store<T> => {
  const objects = new Map<Key, T>()
  const indexes = new Map(Object.keys(indexers).map((name) => [name, new Map<string, Set<Key>>()]))

  const reindex = (key: Key, old: T | undefined, next: T | undefined) => {
    for (const [name, index] of indexes) {
      const indexer = indexers[name]!
      for (const value of old ? indexer(old) : []) {
        const keys = index.get(value)
        keys?.delete(key)
        if (keys?.size === 0) index.delete(value)
      }
      for (const value of next ? indexer(next) : []) {
        const keys = index.get(value)
        if (keys) keys.add(key)
        else index.set(value, new Set([key]))
      }
    }
  }

  const upsert = (given: T): Change<T> | undefined => {
    const object = deepFreeze(given)
    const key = keyOf(object)
    const old = objects.get(key)
    if (old && isSame(old, object)) return undefined
    reindex(key, old, object)
    objects.set(key, object)
    return { key, old, new: object }
  }

  const remove = (key: Key): Change<T> | undefined => {
    const old = objects.get(key)
    if (!old) return undefined
    reindex(key, old, undefined)
    objects.delete(key)
    return { key, old, new: undefined }
  }

  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    keys: () => [...objects.keys()],
    byIndex: (name, value) => {
      const index = indexes.get(name)
      if (!index) throw new Error(`no index ${name}`)
      return [...(index.get(value) ?? [])].map((key) => objects.get(key)!)
    },
    get size() {
      return objects.size
    },
    upsert,
    remove,
    replace: (list) => {
      const present = new Set(list.map(keyOf))
      const gone = [...objects.keys()].filter((key) => !present.has(key)).map(remove)
      return [...gone, ...list.map(upsert)].filter((change) => change !== undefined)
    },
  }
}

/** The same uid and resourceVersion is the same content. */
const isSame = (a: KubeObject, b: KubeObject) =>
  a.metadata.uid === b.metadata.uid &&
  a.metadata.resourceVersion !== undefined &&
  a.metadata.resourceVersion === b.metadata.resourceVersion

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
