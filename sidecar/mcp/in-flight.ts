import type { RequestId } from '../../lib/api/mcp.ts'
import { UpstreamFailure } from '../upstream.ts'

type GiveUp = (reason: UpstreamFailure) => void

/** Requests of agents on their way, to be given up. */
export interface InFlight {
  /** Whether this session waits for an answer under this id. */
  has: (sessionId: string, id: RequestId) => boolean
  /** Counts one more until the function it returns is called; without a session nobody can name it. */
  add: (sessionId: string | undefined, id: RequestId, giveUp: GiveUp) => () => void
  /** What to give a request up with, as it is now: one that begins later under the same id is not meant. */
  giver: (sessionId: string, id: RequestId) => GiveUp | undefined
  /** Gives up all of a session: its agent ended it, and waits for none of them any more. */
  endAll: (sessionId: string, reason: UpstreamFailure) => void
  /** Resolves when nothing is on its way; what takes longer than `graceMs` is given up. */
  close: (graceMs: number) => Promise<void>
}

/** How long what is given up has to be written down, as the gate closes. */
const WRITING_MS = 1_000

export const createInFlight = (): InFlight => {
  const all = new Set<GiveUp>()
  const named = new Map<string, GiveUp>()
  const keyOf = (sessionId: string, id: RequestId) => `${sessionId} ${typeof id} ${id}`
  let whenIdle: (() => void) | undefined
  return {
    has: (sessionId, id) => named.has(keyOf(sessionId, id)),
    add: (sessionId, id, giveUp) => {
      const key = sessionId === undefined ? undefined : keyOf(sessionId, id)
      all.add(giveUp)
      if (key !== undefined) named.set(key, giveUp)
      return () => {
        all.delete(giveUp)
        if (key !== undefined && named.get(key) === giveUp) named.delete(key)
        if (all.size === 0) whenIdle?.()
      }
    },
    giver: (sessionId, id) => named.get(keyOf(sessionId, id)),
    endAll: (sessionId, reason) => {
      for (const [key, giveUp] of named) if (key.startsWith(`${sessionId} `)) giveUp(reason)
    },
    close: async (graceMs) => {
      if (all.size === 0) return
      const late = setTimeout(() => {
        for (const giveUp of all) giveUp(new UpstreamFailure('cancelled', 'the gate closes', true))
      }, graceMs)
      const limit = setTimeout(() => whenIdle?.(), graceMs + WRITING_MS)
      await new Promise<void>((resolve) => {
        whenIdle = resolve
      })
      clearTimeout(late)
      clearTimeout(limit)
    },
  }
}
