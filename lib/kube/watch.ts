import type { Client } from './client.ts'
import { type Clock, systemClock } from './clock.ts'
import { ApiError } from './errors.ts'
import { pathOf, type Resource } from './resources.ts'
import type { KubeObject, Status } from './types.ts'

export type WatchEvent<T extends KubeObject> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; object: KubeObject }
  | { type: 'ERROR'; object: Status }

export interface WatchOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Everything after this version is brought. */
  resourceVersion: string
  /** The server ends the watch after this many seconds. */
  timeoutSeconds: number
  /** Milliseconds without a line, bookmarks included, after which the connection is taken for dead. */
  inactivityMs: number
  clock?: Clock
  signal: AbortSignal
}

/** Nothing came for too long: the connection may be dead without either side knowing. */
export class InactivityError extends Error {
  override readonly name = 'InactivityError'
}

/**
 * One watch, until the server ends it (returns), it fails (throws) or the signal aborts (returns).
 * @throws ApiError also for an ERROR event inside the watch, InactivityError, ConnectionError or the socket's error.
 */
export async function* watch<T extends KubeObject>(
  client: Client,
  kind: Resource<T>,
  options: WatchOptions,
): AsyncGenerator<Exclude<WatchEvent<T>, { type: 'ERROR' }>, void, void> {
  const clock = options.clock ?? systemClock
  const quiet = new AbortController()
  let cancel = () => {}
  const heard = () => {
    cancel()
    cancel = clock.after(options.inactivityMs, () => quiet.abort())
  }
  try {
    heard()
    const stream = await client.stream(pathOf(kind, { namespace: options.namespace }), {
      query: {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: options.resourceVersion,
        timeoutSeconds: options.timeoutSeconds,
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
      },
      signal: AbortSignal.any([options.signal, quiet.signal]),
    })
    for await (const line of stream) {
      heard()
      const event = JSON.parse(line) as WatchEvent<T>
      if (event.type === 'ERROR') throw new ApiError(event.object.code ?? 500, event.object)
      yield event
    }
  } catch (error) {
    if (options.signal.aborted) return
    if (quiet.signal.aborted) throw new InactivityError(`nothing heard for ${options.inactivityMs} ms`)
    throw error
  } finally {
    cancel()
  }
}
