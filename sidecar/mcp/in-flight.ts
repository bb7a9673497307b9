import type { RequestId } from '../../lib/api/mcp.ts'
import type { UpstreamFailure } from '../upstream.ts'

/** Calls on their way, by session and request id, to be given up. */
export interface InFlight {
  has: (sessionId: string, id: RequestId) => boolean
  add: (sessionId: string, id: RequestId, abort: (reason: UpstreamFailure) => void) => void
  remove: (sessionId: string, id: RequestId, abort: (reason: UpstreamFailure) => void) => void
  /** What to end a call with, as it is now: one that begins later under the same id is not meant. */
  giver: (sessionId: string, id: RequestId) => ((reason: UpstreamFailure) => void) | undefined
  /** Ends all of a session: its agent ended it, and waits for none of them any more. */
  endAll: (sessionId: string, reason: UpstreamFailure) => void
}

export const createInFlight = (): InFlight => {
  const calls = new Map<string, (reason: UpstreamFailure) => void>()
  const keyOf = (sessionId: string, id: RequestId) => `${sessionId} ${typeof id} ${id}`
  return {
    has: (sessionId, id) => calls.has(keyOf(sessionId, id)),
    add: (sessionId, id, abort) => void calls.set(keyOf(sessionId, id), abort),
    remove: (sessionId, id, abort) => {
      const key = keyOf(sessionId, id)
      if (calls.get(key) === abort) calls.delete(key)
    },
    giver: (sessionId, id) => calls.get(keyOf(sessionId, id)),
    endAll: (sessionId, reason) => {
      for (const [key, abort] of calls) if (key.startsWith(`${sessionId} `)) abort(reason)
    },
  }
}
