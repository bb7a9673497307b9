import type { Logger } from '../lib/service/log.ts'
import { pause } from '../lib/service/pause.ts'
import type { Backoff } from './backoff.ts'
import { type Child, Unavailable } from './child/child.ts'
import { greet } from './child/handshake.ts'
import type { Peer } from './child/peer.ts'

/** Who comes while a start has to wait no longer than this waits with it. */
export const PATIENCE_MS = 2_000

/** The process that serves whoever needs none of their own; it is started again whenever it ends. */
export interface Prime {
  /** `true`, or why it serves nobody. */
  status: () => true | string
  get: () => Promise<Child>
  /** Resolves when it was ended, after the signal. */
  ended: Promise<void>
}

export const keepPrime = (options: {
  start: () => Peer
  startMs: number
  backoff: Backoff
  log: Logger
  now: () => number
  signal: AbortSignal
}): Prime => {
  const { backoff, log, now, signal } = options
  let prime: Child | undefined
  let status = 'the server is starting'
  let waiting: { resolve: (child: Child) => void; reject: (error: Error) => void }[] = []
  const settle = (act: (waiter: (typeof waiting)[number]) => void) => {
    const all = waiting
    waiting = []
    for (const waiter of all) act(waiter)
  }
  const live = async (peer: Peer): Promise<string> => {
    try {
      const hello = await greet(peer, options.startMs)
      const child = { peer, hello }
      prime = child
      log.info({ pid: peer.pid, era: hello.era, version: hello.version }, 'the server is ready')
      settle(({ resolve }) => resolve(child))
      return `the server ended: ${await peer.whenEnded}`
    } catch (error) {
      await peer.stop()
      return `the server did not start: ${(error as Error).message}`
    } finally {
      prime = undefined
    }
  }
  const run = async () => {
    while (!signal.aborted) {
      const startedAt = now()
      const peer = options.start()
      const stop = () => void peer.stop()
      signal.addEventListener('abort', stop)
      status = await live(peer)
      signal.removeEventListener('abort', stop)
      if (signal.aborted) break
      backoff.failed(startedAt)
      const retryInMs = backoff.remaining()
      log.warn({ reason: status, retryInMs }, 'the server is not there; it is started again')
      settle(({ reject }) => reject(new Unavailable(status)))
      await pause(retryInMs, signal)
      status = `${status}; it is being started again`
    }
    status = 'the bridge is ending'
    settle(({ reject }) => reject(new Unavailable(status)))
  }
  return {
    status: () => (prime ? true : status),
    get: () => {
      if (prime) return Promise.resolve(prime)
      if (signal.aborted || backoff.remaining() > PATIENCE_MS) return Promise.reject(new Unavailable(status))
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    ended: run(),
  }
}
