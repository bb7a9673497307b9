import { createHash } from 'node:crypto'
import type { Client } from './client.ts'
import { type Clock, systemClock } from './clock.ts'
import { isAlreadyExists, isNotFound } from './errors.ts'
import { create, mergePatch } from './objects.ts'
import { type Event, events } from './resources.ts'
import { microTimeOf } from './time.ts'
import type { KubeObject, Logger } from './types.ts'

export interface EventFields {
  type: 'Normal' | 'Warning'
  /** Why, one word in CamelCase, at most 128 characters. */
  reason: string
  /** What was done or tried, one word in CamelCase, at most 128 characters. */
  action: string
  /** For a person, cut at 1,024 characters. */
  note: string
  related?: KubeObject
}

export interface EventRecorder {
  /** Tells what happened to an object. Never throws, never waits: an event that cannot be told is counted in the log. */
  record(regarding: KubeObject, fields: EventFields): void
  /** Sends what is under way, at most for `timeoutMs` (2 s unless told), and stops. */
  stop(timeoutMs?: number): Promise<void>
}

export interface EventRecorderOptions {
  client: Client
  /** As `remit.dev/operator`. */
  reportingController: string
  /** This process, as the pod's name. */
  reportingInstance: string
  log: Logger
  clock?: Clock
  /** Repeats of one event are written together, at most once in this time; 10 s unless told. */
  seriesMs?: number
  /** Events an object may have at once, and how often one more; 25 and 300 s, as client-go's spam filter. */
  burst?: number
  refillMs?: number
}

interface Series {
  name: string
  namespace: string
  count: number
  last: number
  written: number
  regarding: string
}

/** A series nobody added to for this long is over: the next one is a new Event. Source: client-go `tools/events`. */
const seriesEndsMs = 360_000
/** Writes under way; more are dropped. An API server that is away must not fill our memory. */
const maxPending = 200

/** Events of events.k8s.io/v1, repeats counted in `series`, limited for each object. */
export const createEventRecorder = (options: EventRecorderOptions): EventRecorder => {
  const { client, log, clock = systemClock, seriesMs = 10_000, burst = 25, refillMs = 300_000 } = options
  const known = new Map<string, Series>()
  const buckets = new Map<string, { tokens: number; at: number }>()
  const pending = new Set<Promise<void>>()
  const abort = new AbortController()
  let stopFlush: (() => void) | undefined
  let dropped = 0

  const send = (what: () => Promise<unknown>) => {
    if (pending.size >= maxPending) {
      dropped++
      return
    }
    const write = what()
      .catch((error) => {
        if (!abort.signal.aborted) log.warn({ err: error }, 'event not written')
      })
      .then(() => {
        pending.delete(write)
      })
    pending.add(write)
  }

  const allowed = (object: string): boolean => {
    const now = clock.now()
    const bucket = buckets.get(object) ?? { tokens: burst, at: now }
    const refilled = Math.min(burst, bucket.tokens + (now - bucket.at) / refillMs)
    buckets.set(object, { tokens: Math.max(0, refilled >= 1 ? refilled - 1 : refilled), at: now })
    return refilled >= 1
  }

  const first = (key: string, regarding: KubeObject, fields: EventFields) => {
    const object = identityOf(regarding)
    if (!allowed(object)) {
      dropped++
      return
    }
    const now = clock.now()
    const namespace = regarding.metadata.namespace ?? 'default'
    const suffix = createHash('sha256')
      .update(`${key}\0${options.reportingInstance}\0${now}`)
      .digest('hex')
      .slice(0, 16)
    const name = `${regarding.metadata.name.slice(0, 230)}.${suffix}`
    known.set(key, { name, namespace, count: 1, last: now, written: 1, regarding: object })
    const event: Event = {
      metadata: { name, namespace },
      eventTime: microTimeOf(now),
      reportingController: options.reportingController,
      reportingInstance: options.reportingInstance.slice(0, 128),
      type: fields.type,
      reason: fields.reason.slice(0, 128),
      action: fields.action.slice(0, 128),
      note: cut(fields.note, 1024),
      regarding: referenceTo(regarding),
      related: fields.related && referenceTo(fields.related),
    }
    send(() =>
      create(client, events, event, { signal: abort.signal, timeoutMs: 5_000 }).catch((error) => {
        if (!isAlreadyExists(error)) throw error
      }),
    )
  }

  const flush = () => {
    const now = clock.now()
    for (const [key, series] of known) {
      if (series.count > series.written) {
        series.written = series.count
        const patch = { series: { count: series.count, lastObservedTime: microTimeOf(series.last) } }
        send(() =>
          mergePatch(client, events, series, patch, { signal: abort.signal, timeoutMs: 5_000 }).catch((error) => {
            // The server's own time to live was over; the next repeat begins a new one.
            if (!isNotFound(error)) throw error
            known.delete(key)
          }),
        )
      } else if (now - series.last > seriesEndsMs) known.delete(key)
    }
    for (const [object, bucket] of buckets) if (now - bucket.at > burst * refillMs) buckets.delete(object)
    if (dropped > 0) log.warn({ dropped }, 'events were not told: too many')
    dropped = 0
  }

  const schedule = () => {
    stopFlush ??= clock.after(seriesMs, () => {
      stopFlush = undefined
      flush()
      if (known.size > 0) schedule()
    })
  }

  return {
    record: (regarding, fields) => {
      if (abort.signal.aborted) return
      const key = keyOfEvent(regarding, fields)
      const series = known.get(key)
      if (series && clock.now() - series.last <= seriesEndsMs) {
        series.count++
        series.last = clock.now()
      } else first(key, regarding, fields)
      schedule()
    },
    stop: async (timeoutMs = 2_000) => {
      stopFlush?.()
      flush()
      const late = clock.after(timeoutMs, () => abort.abort())
      await Promise.all(pending)
      late()
      abort.abort()
    },
  }
}

const identityOf = (object: KubeObject) =>
  [object.kind, object.metadata.namespace, object.metadata.name, object.metadata.uid].join('\0')

const keyOfEvent = (regarding: KubeObject, { type, reason, action, note, related }: EventFields) =>
  [identityOf(regarding), type, reason, action, note, related ? identityOf(related) : ''].join('\0')

const referenceTo = (object: KubeObject) => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  namespace: object.metadata.namespace,
  name: object.metadata.name,
  uid: object.metadata.uid,
  resourceVersion: object.metadata.resourceVersion,
})

const cut = (text: string, max: number) => (text.length <= max ? text : `${text.slice(0, max - 1)}…`)
