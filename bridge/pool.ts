import type { JsonObject } from '../lib/core/json-rpc.ts'
import type { Logger } from '../lib/service/log.ts'
import { pause } from '../lib/service/pause.ts'
import { createBackoff } from './backoff.ts'
import { type Child, Unavailable } from './child/child.ts'
import { initialize } from './child/handshake.ts'
import { type Peer, startPeer } from './child/peer.ts'
import type { ProcessLimits } from './child/process.ts'
import { keepPrime, PATIENCE_MS } from './prime.ts'

export interface PoolLimits extends ProcessLimits {
  /** Server processes at a time. */
  children: number
  /** Milliseconds after which a process that nobody used is ended. */
  idleMs: number
  /** Milliseconds from the start of a process to its greeting. */
  startMs: number
}

/** A greeted process that serves one call at a time. */
export interface Lease extends Child {
  release: () => void
}

export interface Pool {
  /** `true`, or why no call can be served. */
  status: () => true | string
  /** The process that serves whoever needs none of their own; it is started again whenever it ends. */
  prime: () => Promise<Child>
  /** A process that was told these capabilities of its client, and no call of anybody else until it is released. */
  lease: (client: { capabilities: JsonObject; clientInfo?: JsonObject | undefined }) => Promise<Lease>
  /** A process of one session, not greeted. `onEvict` is called when it has to make room or was idle for too long. */
  own: (onEvict: () => void) => Promise<{ peer: Peer; greeted: () => void; touch: () => void; end: () => void }>
  close: () => Promise<void>
}

const SWEEP_MS = 1_000

interface Entry {
  peer: Peer
  usedAt: number
  isBusy: () => boolean
  evict: () => void
}

interface Leased extends Entry {
  /** What its client said it can be asked, and of itself. */
  key: string
  /** Once it is greeted. */
  child?: Child
  leased: boolean
}

export const createPool = (options: {
  command: string
  args: string[]
  env: Record<string, string | undefined>
  limits: PoolLimits
  /** Told of every process; what it gives is called when that ended. */
  watch: (pid: number) => () => void
  log: Logger
  now: () => number
}): Pool => {
  const { limits, log, now } = options
  const entries = new Set<Entry>()
  const leases = new Set<Leased>()
  const closed = new AbortController()
  /** Ended by us: no reason to wait with the next start. */
  const dismissed = new WeakSet<Peer>()
  const stopping = new Set<Promise<void>>()
  const backoff = createBackoff(now)

  const start = (): Peer => {
    const peer = startPeer(options)
    log.info({ pid: peer.pid }, 'the server was started')
    const unwatch = peer.pid === undefined ? () => {} : options.watch(peer.pid)
    peer.whenEnded.then((reason) => {
      unwatch()
      log.info({ pid: peer.pid, reason }, 'the server ended')
    })
    return peer
  }
  const remove = (entry: Entry) => {
    entries.delete(entry)
    dismissed.add(entry.peer)
    const stopped = entry.peer.stop().then(() => void stopping.delete(stopped))
    stopping.add(stopped)
  }
  const makeRoom = async () => {
    const waitMs = backoff.remaining()
    if (waitMs > PATIENCE_MS)
      throw new Unavailable(
        `The server keeps ending; it is not started again for another ${Math.ceil(waitMs / 1000)} s`,
      )
    if (waitMs > 0) await pause(waitMs, closed.signal)
    if (stopping.size >= limits.children) throw new Unavailable('Too many processes of the server are just ending')
    // One place is the prime's.
    if (entries.size + 1 < limits.children) return
    const [oldest] = [...entries].filter((entry) => !entry.isBusy()).sort((a, b) => a.usedAt - b.usedAt)
    if (!oldest) throw new Unavailable(`All ${limits.children} processes of the server are busy`)
    log.info({ pid: oldest.peer.pid }, 'a process of the server makes room for another')
    oldest.evict()
  }
  const sweep = setInterval(() => {
    for (const entry of entries) {
      if (entry.isBusy() || now() - entry.usedAt < limits.idleMs) continue
      log.info({ pid: entry.peer.pid }, 'a process of the server was idle for too long')
      entry.evict()
    }
  }, SWEEP_MS)

  const prime = keepPrime({ start, startMs: limits.startMs, backoff, log, now, signal: closed.signal })

  return {
    status: prime.status,
    prime: prime.get,
    lease: async (client) => {
      const key = JSON.stringify(client)
      const take = (entry: Leased, child: Child): Lease => {
        entry.leased = true
        return {
          ...child,
          release: () => {
            entry.leased = false
            entry.usedAt = now()
          },
        }
      }
      const free = [...leases].find((entry) => entry.key === key && entry.child && !entry.leased)
      if (free) return take(free, free.child!)
      await makeRoom()
      const startedAt = now()
      const entry: Leased = {
        key,
        peer: start(),
        usedAt: now(),
        leased: true,
        isBusy: () => entry.leased,
        evict: () => {
          leases.delete(entry)
          remove(entry)
        },
      }
      entries.add(entry)
      leases.add(entry)
      entry.peer.whenEnded.then(() => {
        entries.delete(entry)
        leases.delete(entry)
      })
      try {
        entry.child = { peer: entry.peer, hello: await initialize(entry.peer, client, limits.startMs) }
        return take(entry, entry.child)
      } catch (error) {
        entry.evict()
        backoff.failed(startedAt)
        throw new Unavailable(`The server did not start: ${(error as Error).message}`)
      }
    },
    own: async (onEvict) => {
      await makeRoom()
      const startedAt = now()
      let greeted = false
      const entry: Entry = {
        peer: start(),
        usedAt: now(),
        isBusy: () => entry.peer.underWay() > 0,
        evict: () => {
          onEvict()
          remove(entry)
        },
      }
      entries.add(entry)
      entry.peer.whenEnded.then(() => {
        entries.delete(entry)
        if (!greeted && !dismissed.has(entry.peer)) backoff.failed(startedAt)
      })
      return {
        peer: entry.peer,
        greeted: () => {
          greeted = true
        },
        touch: () => {
          entry.usedAt = now()
        },
        end: () => remove(entry),
      }
    },
    close: async () => {
      closed.abort()
      clearInterval(sweep)
      await Promise.all([...stopping, ...[...entries].map(({ peer }) => peer.stop()), prime.ended])
    },
  }
}
