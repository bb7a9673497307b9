import { type ReflectorOptions, reflect } from './reflector.ts'
import { type Change, createStore, type Indexers, type Reader } from './store.ts'
import { dropManagedFields } from './trim.ts'
import type { KubeObject } from './types.ts'

export type InformerOptions<T extends KubeObject> = Omit<
  ReflectorOptions<T>,
  'store' | 'onChange' | 'onSynced' | 'transform'
> & {
  indexers?: Indexers<T>
  /** Trims an object before it is kept; without it, its managed fields go. It gets its own copy and may change it. */
  transform?: (object: T) => T
}

/** A cache of one collection that tells its changes. */
export interface Informer<T extends KubeObject> {
  readonly cache: Reader<T>
  /**
   * Hears every change from now on; what the cache already holds is told at once as added. The returned function ends
   * it. A handler that throws is logged: it must not keep the others from hearing.
   */
  onChange(handler: (change: Change<T>) => void): () => void
  /** Resolves when the first whole list is in the cache; rejects if the informer is stopped before. */
  synced(): Promise<void>
  readonly hasSynced: boolean
  /** Keeps the cache current until the signal aborts. Call once. */
  run(signal: AbortSignal): Promise<void>
}

export const createInformer = <T extends KubeObject>(options: InformerOptions<T>): Informer<T> => {
  const { indexers, transform = dropManagedFields, ...rest } = options
  const store = createStore(indexers)
  const handlers = new Set<(change: Change<T>) => void>()
  let becomeSynced = () => {}
  let stopEarly = (_error: Error) => {}
  const first = new Promise<void>((resolve, reject) => {
    becomeSynced = resolve
    stopEarly = reject
  })
  // Nobody may be waiting when it is stopped early.
  first.catch(() => {})
  let hasSynced = false

  const tell = (handler: (change: Change<T>) => void, change: Change<T>) => {
    try {
      handler(change)
    } catch (error) {
      options.log.error({ kind: options.kind.kind, key: change.key, err: error }, 'a handler of changes failed')
    }
  }

  return {
    cache: store,
    onChange: (handler) => {
      handlers.add(handler)
      for (const key of store.keys()) tell(handler, { key, old: undefined, new: store.get(key) })
      return () => handlers.delete(handler)
    },
    synced: () => first,
    get hasSynced() {
      return hasSynced
    },
    run: async (signal) => {
      const onChange = (change: Change<T>) => {
        for (const handler of handlers) tell(handler, change)
      }
      const onSynced = () => {
        hasSynced = true
        becomeSynced()
      }
      await reflect({ ...rest, transform, store, onChange, onSynced }, signal)
      stopEarly(new Error(`${options.kind.kind}: stopped before the first list`))
    },
  }
}
