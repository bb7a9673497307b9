import { type BackoffOptions, backoffDelay } from './backoff.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Key } from './types.ts'

export interface QueueOptions {
  clock?: Clock
  /** Delays of {@link Queue.addRateLimited}; 5 ms doubling to 1,000 s, as client-go. */
  backoff?: BackoffOptions
  random?: () => number
}

/**
 * Work by key, with client-go's promises: a key waits at most once; no key is handed to two workers at a time; one added
 * while it is worked on is handed out again after `done`; none is lost.
 */
export interface Queue {
  add(key: Key): void
  /** Adds the key `ms` from now, or earlier if it was already due earlier. */
  addAfter(key: Key, ms: number): void
  /** Adds the key after its own growing delay, not before `atLeastMs`. */
  addRateLimited(key: Key, atLeastMs?: number): void
  /** Resets the key's growing delay. */
  forget(key: Key): void
  /** How often the key was rate limited since it was forgotten. */
  retries(key: Key): number
  /** The next key, when there is one; undefined once the queue is shut down. */
  take(): Promise<Key | undefined>
  /** The key taken is worked off. */
  done(key: Key): void
  /** Wakes all takers with undefined; what waits is dropped. */
  shutDown(): void
  /** Keys ready to be taken, not those delayed or being worked on. */
  readonly size: number
}

export const createQueue = ({
  clock = systemClock,
  backoff = { baseMs: 5, maxMs: 1_000_000 },
  random = Math.random,
}: QueueOptions = {}): Queue => {
  /** Insertion order is the order of work. */
  const ready = new Set<Key>()
  const working = new Set<Key>()
  const addedWhileWorking = new Set<Key>()
  const delayed = new Map<Key, { due: number; cancel: () => void }>()
  const failures = new Map<Key, number>()
  const takers: ((key: Key | undefined) => void)[] = []
  let closed = false

  const handOut = () => {
    for (const key of ready) {
      const taker = takers.shift()
      if (!taker) return
      ready.delete(key)
      working.add(key)
      taker(key)
    }
  }

  const add = (key: Key) => {
    if (closed) return
    if (working.has(key)) addedWhileWorking.add(key)
    else ready.add(key)
    handOut()
  }

  const addAfter = (key: Key, ms: number) => {
    if (closed) return
    const due = clock.now() + ms
    const waiting = delayed.get(key)
    if (waiting && waiting.due <= due) return
    waiting?.cancel()
    if (ms <= 0) {
      delayed.delete(key)
      add(key)
      return
    }
    const cancel = clock.after(ms, () => {
      delayed.delete(key)
      add(key)
    })
    delayed.set(key, { due, cancel })
  }

  return {
    add,
    addAfter,
    addRateLimited: (key, atLeastMs = 0) => {
      const attempt = failures.get(key) ?? 0
      failures.set(key, attempt + 1)
      addAfter(key, Math.max(atLeastMs, backoffDelay(attempt, backoff, random())))
    },
    forget: (key) => {
      failures.delete(key)
    },
    retries: (key) => failures.get(key) ?? 0,
    take: () =>
      new Promise((resolve) => {
        if (closed) return resolve(undefined)
        takers.push(resolve)
        handOut()
      }),
    done: (key) => {
      working.delete(key)
      if (addedWhileWorking.delete(key)) add(key)
    },
    shutDown: () => {
      closed = true
      for (const { cancel } of delayed.values()) cancel()
      delayed.clear()
      ready.clear()
      addedWhileWorking.clear()
      for (const taker of takers.splice(0)) taker(undefined)
    },
    get size() {
      return ready.size
    },
  }
}
