import { randomUUID } from 'node:crypto'
import type { RequestId } from '../../../lib/api/mcp.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { Answered, Asked } from '../ports.ts'

/** Most requests one session may be asked at a time. */
const MAX_PENDING = 32

/** What agents with sessions are being asked, until they answer. */
export interface Asks {
  /** Sends a request by `send` and resolves with the answer; rejects with UpstreamFailure when it is given up. */
  ask: (sessionId: string, send: (raw: string) => void, request: Asked, signal: AbortSignal) => Promise<Answered>
  /** Whether this session was asked this. */
  answer: (sessionId: string, id: RequestId, answered: Answered) => boolean
}

export const createAsks = (): Asks => {
  const sessions = new Map<string, Map<string, (answered: Answered) => void>>()
  return {
    ask: (sessionId, send, request, signal) =>
      new Promise((resolve, reject) => {
        const pending = sessions.get(sessionId) ?? new Map<string, (answered: Answered) => void>()
        if (pending.size >= MAX_PENDING) {
          reject(new UpstreamFailure('cancelled', 'the agent is asked too much at a time', false))
          return
        }
        // No server and no other agent can know it.
        const id = randomUUID()
        const done = () => {
          pending.delete(id)
          if (pending.size === 0) sessions.delete(sessionId)
          signal.removeEventListener('abort', giveUp)
        }
        const giveUp = () => {
          done()
          send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } }))
          reject(
            signal.reason instanceof UpstreamFailure
              ? signal.reason
              : new UpstreamFailure('cancelled', 'nobody waits for the answer', false),
          )
        }
        sessions.set(sessionId, pending)
        pending.set(id, (answered) => {
          done()
          resolve(answered)
        })
        signal.addEventListener('abort', giveUp)
        if (signal.aborted) giveUp()
        else send(JSON.stringify({ jsonrpc: '2.0', id, ...request }))
      }),
    answer: (sessionId, id, answered) => {
      const settle = sessions.get(sessionId)?.get(String(id))
      settle?.(answered)
      return settle !== undefined
    },
  }
}
