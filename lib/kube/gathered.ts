import { type Clock, systemClock } from './clock.ts'
import type { Source } from './controller.ts'
import type { Key } from './types.ts'

/** A source that names a key once for all that concerns it within `ms`, at the end of that: for what may be a moment late. */
export const gathered = (of: Source, ms: number, clock: Clock = systemClock): Source => ({
  synced: () => of.synced(),
  start: (add) => {
    const waiting = new Map<Key, () => void>()
    const end = of.start((key) => {
      if (waiting.has(key)) return
      const cancel = clock.after(ms, () => {
        waiting.delete(key)
        add(key)
      })
      waiting.set(key, cancel)
    })
    return () => {
      end()
      for (const cancel of waiting.values()) cancel()
    }
  },
})
