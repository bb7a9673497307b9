import { type BackoffOptions, backoffDelay } from './backoff.ts'
import type { Client } from './client.ts'
import { type Clock, sleep, systemClock } from './clock.ts'
import { ApiError, isExpired, isResourceVersionTooLarge, retryAfterOf } from './errors.ts'
import { createMetrics, type KubeMetrics } from './metrics.ts'
import { findMisses, type Observed, observe } from './misses.ts'
import { list } from './objects.ts'
import type { Resource } from './resources.ts'
import type { Change, Store } from './store.ts'
import { type KubeObject, keyOf, type Logger } from './types.ts'
import { isOlder } from './version.ts'
import { InactivityError, watch } from './watch.ts'

export interface ReflectorOptions<T extends KubeObject> {
  client: Client
  kind: Resource<T>
  store: Store<T>
  log: Logger
  /** Trims an object before it is kept; of a list, page by page. It gets its own copy and may change it. Must keep `metadata`. */
  transform: (object: T) => T
  /** Called for each difference the cache took in, in order. */
  onChange: (change: Change<T>) => void
  /** Called after the first whole list is in the cache, once. */
  onSynced: () => void
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  pageSize?: number
  /** A watch lives between this and twice this, 300 s unless told. */
  watchSeconds?: number
  /** The API server sends a bookmark about every minute; 150 s unless told. */
  inactivityMs?: number
  /** How often the cache is compared with a full list, 600 s unless told, a tenth more or less. */
  relistMs?: number
  /** How long an event may be late before the difference counts as a miss, 10 s unless told. */
  missGraceMs?: number
  backoff?: BackoffOptions
  clock?: Clock
  random?: () => number
  metrics?: KubeMetrics
}

/** Failed watches in a row after which the resourceVersion is not trusted any more. */
const watchesBeforeList = 6

/**
 * Keeps `store` equal to a collection of the API server until `signal` aborts: list, watch from there, watch again from
 * the last version seen (bookmarks move it too), list again only when the server no longer has that version.
 */
export const reflect = async <T extends KubeObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
): Promise<void> => {
  const { client, kind, store, log, transform, namespace, labelSelector, fieldSelector, pageSize } = options
  const { clock = systemClock, random = Math.random, metrics = createMetrics() } = options
  const { backoff = { baseMs: 500, maxMs: 30_000, jitter: 0.5 } } = options
  const { watchSeconds = 300, inactivityMs = 150_000, relistMs = 600_000, missGraceMs = 10_000 } = options
  const attributes = { 'k8s.resource.kind': kind.kind }
  const selection = { namespace, labelSelector, fieldSelector, pageSize, signal, each: transform }
  let observed: Observed | undefined
  let synced = false

  const took = (change: Change<T> | undefined) => {
    if (!change) return
    observed?.add(change.key)
    options.onChange(change)
  }

  const listAll = async (why: string): Promise<string> => {
    const result = await list(client, kind, selection)
    metrics.listed({ ...attributes, reason: why })
    for (const change of store.replace(result.items)) took(change)
    if (!synced) options.onSynced()
    synced = true
    return result.metadata.resourceVersion ?? ''
  }

  /** Watches until the server ends it; `at` tells after each event the version to go on from. */
  const follow = async (from: string, at: (version: string) => void) => {
    const timeoutSeconds = Math.ceil(watchSeconds * (1 + random()))
    const where = { namespace, labelSelector, fieldSelector, clock, signal }
    let last = from
    for await (const event of watch(client, kind, { ...where, resourceVersion: from, timeoutSeconds, inactivityMs })) {
      const version = event.object.metadata.resourceVersion ?? from
      // One that is sent again says nothing new, and going on from it would bring the past once more.
      if (event.type === 'BOOKMARK' && isOlder(version, last)) continue
      last = version
      at(version)
      if (event.type === 'BOOKMARK') continue
      const key = keyOf(event.object)
      // Also one the cache had already: the watch is at least that far for this key.
      observed?.add(key)
      took(event.type === 'DELETED' ? store.remove(key) : store.upsert(transform(event.object)))
    }
  }

  const listAndWatch = async () => {
    let version = ''
    let failures = 0
    let why = 'start'
    while (!signal.aborted) {
      const before = version
      try {
        if (version === '') version = await listAll(why)
        const listedAt = version
        await follow(version, (next) => {
          version = next
          failures = 0
        })
        metrics.watchEnded({ ...attributes, 'error.type': 'none' })
        // A server that ends every watch at once would otherwise be asked without a pause.
        if (version === listedAt) await sleep(clock, backoffDelay(0, backoff, random()), signal)
      } catch (error) {
        if (signal.aborted) return
        failures++
        metrics.watchEnded({ ...attributes, 'error.type': kindOf(error) })
        const gone = isExpired(error) || isResourceVersionTooLarge(error) || isRefusedVersion(error)
        if (gone || failures % watchesBeforeList === 0) {
          version = ''
          why = gone ? 'expired' : 'failures'
        }
        const delay = Math.max(retryAfterOf(error) ?? 0, backoffDelay(failures - 1, backoff, random()))
        const fields = { kind: kind.kind, err: error, delayMs: Math.round(delay), resourceVersion: before }
        // An expired version and a quiet connection are ordinary; the rest somebody should see.
        if (gone || error instanceof InactivityError) log.info(fields, 'watch starts again')
        else log.warn(fields, 'list or watch failed')
        if (!(gone && failures === 1)) await sleep(clock, delay, signal)
      }
    }
  }

  const relist = async () => {
    while (!signal.aborted) {
      await sleep(clock, relistMs * (0.9 + 0.2 * random()), signal)
      if (signal.aborted || !synced) continue
      observed = observe()
      try {
        const result = await list(client, kind, selection)
        metrics.listed({ ...attributes, reason: 'periodic' })
        const pending = findMisses(store, result.items, observed)
        if (pending.size > 0) await sleep(clock, missGraceMs, signal)
        const missed = [...pending].filter(([key]) => !observed?.has(key))
        if (signal.aborted || missed.length === 0) continue
        metrics.missed(missed.length, attributes)
        log.error({ kind: kind.kind, missed: missed.length }, 'the watch had missed changes')
        for (const [key, object] of missed) took(object ? store.upsert(object) : store.remove(key))
      } catch (error) {
        if (!signal.aborted) log.warn({ kind: kind.kind, err: error }, 'periodic list failed')
      } finally {
        observed = undefined
      }
    }
  }

  await Promise.all([listAndWatch(), relist()])
}

/** What a server says to a version it cannot parse, as after a change of the storage below it. */
const isRefusedVersion = (error: unknown) => error instanceof ApiError && error.code === 400

const kindOf = (error: unknown) =>
  error instanceof ApiError ? String(error.code) : error instanceof Error ? error.name : 'unknown'
