import { type Clock, systemClock } from './clock.ts'
import type { Source } from './controller.ts'
import type { Key } from './types.ts'

export interface Delay {
  /** What a key waits after things were quiet. */
  ms: number
  /** The longest that it waits: each time twice as long as before, for as long as it goes on. */
  mostMs: number
}

/** A source that names a key once for all that concerns it within some time, at the end of that: for what may be a moment late. */
export const gathered = (of: Source, { ms, mostMs }: Delay, clock: Clock = systemClock): Source => ({
  synced: () => of.synced(),
  start: (add) => {
    const waiting = new Map<Key, { named: boolean; cancel: () => void }>()
    const wait = (key: Key, delay: number) => {
      const cancel = clock.after(delay, () => {
        if (!waiting.get(key)?.named) return void waiting.delete(key)
        add(key)
        wait(key, Math.min(2 * delay, mostMs))
      })
      waiting.set(key, { named: false, cancel })
    }
    const end = of.start((key) => {
      if (!waiting.has(key)) wait(key, ms)
      waiting.get(key)!.named = true
    })
    return () => {
      end()
      for (const { cancel } of waiting.values()) cancel()
    }
  },
})
