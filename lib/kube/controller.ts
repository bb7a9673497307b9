import { randomUUID } from 'node:crypto'
import type { BackoffOptions } from './backoff.ts'
import { type Clock, systemClock } from './clock.ts'
import { isConflict, retryAfterOf } from './errors.ts'
import type { Informer } from './informer.ts'
import { createMetrics, type KubeMetrics } from './metrics.ts'
import { createQueue } from './queue.ts'
import type { Change } from './store.ts'
import { type Key, type KubeObject, keyOf, type Logger } from './types.ts'

/** Trying again is of no use until something changes: the key rests until its sources name it again. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError'
}

export interface ReconcileContext {
  /** Carries `controller`, `key` and `reconcileId`. */
  log: Logger
  /** Aborts when the controller has to stop, at once when the lease is lost. Pass it to every request. */
  signal: AbortSignal
  reconcileId: string
}

/** Brings the world of one key to what is wanted; it reads caches, never an event. */
export type Reconcile = (
  key: Key,
  context: ReconcileContext,
) => Promise<{ requeueAfterMs: number } | undefined> | Promise<void>

/** One informer and which keys a change in it concerns. */
export interface Source {
  /** Names keys from now on, those already there at once; the returned function ends it. */
  start(add: (key: Key) => void): () => void
  synced(): Promise<void>
}

/** Names keys for a change; the old object is asked as well, so that a moved reference is seen on both sides. */
export const source = <T extends KubeObject>(
  informer: Informer<T>,
  keysOf: (object: T) => Key[] = (object) => [keyOf(object)],
  /** Leaves out changes that cannot matter, as a status we wrote ourselves. */
  matters: (change: Change<T>) => boolean = () => true,
): Source => ({
  synced: () => informer.synced(),
  start: (add) =>
    informer.onChange((change) => {
      if (!matters(change)) return
      // A worker may take the first key at once, so naming it twice would be two reconciles.
      const keys = new Set([change.old, change.new].flatMap((object) => (object ? keysOf(object) : [])))
      for (const key of keys) add(key)
    }),
})

/** For `matters`: of most kinds only the spec counts to others, and their status is written by who reads them. */
export const saysAnother = ({ old, new: now }: Change<KubeObject>): boolean =>
  old?.metadata.uid !== now?.metadata.uid || old?.metadata.generation !== now?.metadata.generation

/** Keys of the owners of one kind, as of a pod's AgentIdentity. */
export const ownersOf =
  (apiVersion: string, kind: string) =>
  (object: KubeObject): Key[] =>
    (object.metadata.ownerReferences ?? [])
      .filter((owner) => owner.kind === kind && owner.apiVersion.split('/')[0] === apiVersion.split('/')[0])
      .map((owner) => (object.metadata.namespace ? `${object.metadata.namespace}/${owner.name}` : owner.name))

export interface ControllerOptions {
  name: string
  sources: Source[]
  reconcile: Reconcile
  /** Informers that are only read: the first reconcile waits for them too. */
  waitFor?: { synced(): Promise<void> }[]
  log: Logger
  concurrency?: number
  /** Delay of a failed key, 100 ms doubling to 60 s unless told; a longer Retry-After is kept to. */
  backoff?: BackoffOptions
  clock?: Clock
  random?: () => number
  metrics?: KubeMetrics
}

export interface Controller {
  /** Names a key from outside: a timer, another controller. */
  enqueue(key: Key, afterMs?: number): void
  /** Works until the signal aborts, then returns when the last reconcile has ended. Call once. */
  run(signal: AbortSignal): Promise<void>
}

export const createController = (options: ControllerOptions): Controller => {
  const { name, clock = systemClock, concurrency = 2, metrics = createMetrics() } = options
  const backoff = options.backoff ?? { baseMs: 100, maxMs: 60_000, jitter: 0.2 }
  const queue = createQueue({ clock, backoff, random: options.random })
  const log = withFields(options.log, { controller: name })
  const readySince = new Map<Key, number>()

  const add = (key: Key) => {
    if (!readySince.has(key)) readySince.set(key, clock.now())
    queue.add(key)
  }

  const reconcileOne = async (key: Key, signal: AbortSignal) => {
    const started = clock.now()
    metrics.queued((started - (readySince.get(key) ?? started)) / 1000, { 'kube.controller.name': name })
    readySince.delete(key)
    const reconcileId = randomUUID()
    const keyLog = withFields(log, { key, reconcileId })
    let result = 'success'
    try {
      const after = await options.reconcile(key, { log: keyLog, signal, reconcileId })
      queue.forget(key)
      if (after) queue.addAfter(key, after.requeueAfterMs)
    } catch (error) {
      if (signal.aborted) result = 'aborted'
      else if (error instanceof TerminalError) {
        result = 'terminal'
        queue.forget(key)
        keyLog.warn({ err: error }, 'reconcile failed for good')
      } else {
        result = 'error'
        queue.addRateLimited(key, retryAfterOf(error))
        // A conflict says the cache was behind; the next try sees the newer object.
        keyLog[isConflict(error) ? 'debug' : 'warn']({ err: error, tries: queue.retries(key) }, 'reconcile failed')
      }
    } finally {
      queue.done(key)
      metrics.reconciled((clock.now() - started) / 1000, { 'kube.controller.name': name, result })
    }
  }

  const work = async (signal: AbortSignal) => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) await reconcileOne(key, signal)
  }

  return {
    enqueue: (key, afterMs = 0) => (afterMs > 0 ? queue.addAfter(key, afterMs) : add(key)),
    run: async (signal) => {
      const stop = () => queue.shutDown()
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) return stop()
      const ends: (() => void)[] = []
      try {
        for (const each of options.sources) ends.push(each.start(add))
        await Promise.all([...options.sources, ...(options.waitFor ?? [])].map((each) => each.synced()))
        log.info({ concurrency }, 'controller starts')
        await Promise.all(Array.from({ length: concurrency }, () => work(signal)))
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        for (const end of ends) end()
      }
      log.info({}, 'controller stopped')
    },
  }
}

/** As pino's child, over any logger: a line's own fields win. */
export const withFields = (log: Logger, fields: object): Logger => ({
  debug: (own, message) => log.debug({ ...fields, ...own }, message),
  info: (own, message) => log.info({ ...fields, ...own }, message),
  warn: (own, message) => log.warn({ ...fields, ...own }, message),
  error: (own, message) => log.error({ ...fields, ...own }, message),
})
