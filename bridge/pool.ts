import type { Logger } from '../lib/service/log.ts'
import { greet, type Hello, initialize } from './child/handshake.ts'
import { type Peer, startPeer } from './child/peer.ts'
import type { ProcessLimits } from './child/process.ts'
import type { JsonObject } from './json/rpc.ts'

export interface PoolLimits extends ProcessLimits {
  /** Server processes at a time. */
  children: number
  /** Milliseconds after which a process that nobody used is ended. */
  idleMs: number
  /** Milliseconds from the start of a process to its greeting. */
  startMs: number
}

/** There is no server process for this now; the message says why and, when that is known, until when. */
export class Unavailable extends Error {
  override name = 'Unavailable'
}

/** A greeted process. */
export interface Child {
  peer: Peer
  hello: Hello
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

const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 30_000
/** A process that lived this long started well. */
const STEADY_MS = 10_000
const SWEEP_MS = 1_000
/** Who comes while a start has to wait no longer than this waits with it. */
const PATIENCE_MS = 2_000

/** What another start must wait after `failures` of them in a row, milliseconds. */
export const delayAfter = (failures: number): number =>
  failures === 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1))

interface Entry {
  peer: Peer
  usedAt: number
  isBusy: () => boolean
  evict: () => void
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
  const leases = new Map<string, (Entry & { child?: Child; leased: boolean })[]>()
  const closed = new AbortController()
  /** Ended by us: no reason to wait with the next start. */
  const dismissed = new WeakSet<Peer>()
  const stopping = new Set<Promise<void>>()
  let failures = 0
  let nextStartAt = 0

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
  /** Makes the next start wait. What a client did to a process that had started well is not counted. */
  const noteFailure = (startedAt: number) => {
    failures = now() - startedAt >= STEADY_MS ? 1 : failures + 1
    nextStartAt = now() + delayAfter(failures)
  }
  const remove = (entry: Entry) => {
    entries.delete(entry)
    dismissed.add(entry.peer)
    const stopped = entry.peer.stop().then(() => void stopping.delete(stopped))
    stopping.add(stopped)
  }
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      closed.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  const makeRoom = async () => {
    const waitMs = nextStartAt - now()
    if (waitMs > PATIENCE_MS)
      throw new Unavailable(
        `The server keeps ending; it is not started again for another ${Math.ceil(waitMs / 1000)} s`,
      )
    if (waitMs > 0) await sleep(waitMs)
    // One place is the prime's.
    if (entries.size + 1 < limits.children) return
    if (stopping.size >= limits.children) throw new Unavailable('Too many processes of the server are just ending')
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

  let prime: Child | undefined
  let primePeer: Peer | undefined
  let status = 'the server is starting'
  let waiting: { resolve: (child: Child) => void; reject: (error: Error) => void }[] = []
  const settle = (act: (waiter: (typeof waiting)[number]) => void) => {
    const all = waiting
    waiting = []
    for (const waiter of all) act(waiter)
  }
  const keepPrime = async () => {
    while (!closed.signal.aborted) {
      const startedAt = now()
      const peer = start()
      primePeer = peer
      try {
        const hello = await greet(peer, limits.startMs)
        prime = { peer, hello }
        log.info({ pid: peer.pid, era: hello.era, version: hello.version }, 'the server is ready')
        const child = prime
        settle(({ resolve }) => resolve(child))
        status = `the server ended: ${await peer.whenEnded}`
      } catch (error) {
        status = `the server did not start: ${(error as Error).message}`
        await peer.stop()
      }
      prime = undefined
      if (closed.signal.aborted) break
      noteFailure(startedAt)
      const waitMs = nextStartAt - now()
      log.warn({ reason: status, retryInMs: waitMs }, 'the server is not there; it is started again')
      settle(({ reject }) => reject(new Unavailable(status)))
      await sleep(waitMs)
      if (!closed.signal.aborted) status = `${status}; it is being started again`
    }
    settle(({ reject }) => reject(new Unavailable('the bridge is ending')))
  }
  const keeping = keepPrime()

  return {
    status: () => (prime ? true : status),
    prime: () => {
      if (prime) return Promise.resolve(prime)
      if (nextStartAt - now() > PATIENCE_MS) return Promise.reject(new Unavailable(status))
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    lease: async (client) => {
      const key = JSON.stringify(client)
      const same = leases.get(key) ?? []
      const leaseOf = (entry: (typeof same)[number], child: Child): Lease => {
        entry.leased = true
        return {
          ...child,
          release: () => {
            entry.leased = false
            entry.usedAt = now()
          },
        }
      }
      const free = same.find((entry) => entry.child && !entry.leased)
      if (free) return leaseOf(free, free.child!)
      await makeRoom()
      const startedAt = now()
      const entry: (typeof same)[number] = {
        peer: start(),
        usedAt: now(),
        leased: true,
        isBusy: () => entry.leased,
        evict: () => {
          forget()
          remove(entry)
        },
      }
      const forget = () => {
        const at = same.indexOf(entry)
        if (at !== -1) same.splice(at, 1)
        if (same.length === 0 && leases.get(key) === same) leases.delete(key)
      }
      entries.add(entry)
      same.push(entry)
      leases.set(key, same)
      entry.peer.whenEnded.then(() => {
        entries.delete(entry)
        forget()
      })
      try {
        entry.child = { peer: entry.peer, hello: await initialize(entry.peer, client, limits.startMs) }
        return leaseOf(entry, entry.child)
      } catch (error) {
        entry.evict()
        noteFailure(startedAt)
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
        if (!greeted && !dismissed.has(entry.peer)) noteFailure(startedAt)
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
      await Promise.all([...stopping, ...[...entries].map(({ peer }) => peer.stop()), primePeer?.stop()])
      await keeping
    },
  }
}
