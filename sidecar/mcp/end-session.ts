import type { RemitServer } from '../../lib/api/remit.ts'
import type { GateContext } from '../context.ts'
import { targetOf } from '../target.ts'
import { discard, UpstreamFailure } from '../upstream.ts'
import { sessionHeaders, within } from './forward.ts'
import type { Session } from './sessions.ts'

const MAX_ENDED = 10_000

/** The sessions that agents have ended: ids that are still well-formed and must not work any more. */
export const createEndedSessions = (gate: GateContext) => {
  const ended = new Set<string>()
  return {
    has: (id: string): boolean => ended.has(id),
    /** Ends a session here, then at its server. */
    end: async (id: string, session: Session, server: RemitServer): Promise<void> => {
      if (ended.size >= MAX_ENDED) ended.delete(ended.values().next().value!)
      ended.add(id)
      gate.kept.end(id)
      if (!session.upstream) return
      const limit = within(gate.limits.idleMs)
      try {
        const answer = await gate.send(targetOf('server', server, gate.credentials), {
          method: 'DELETE',
          headers: sessionHeaders(session),
          signal: limit.signal,
          idleMs: gate.limits.idleMs,
        })
        discard(answer)
      } catch (error) {
        if (!(error instanceof UpstreamFailure)) throw error
        gate.log.debug({ server: server.name, reason: error.message }, 'the server was not told that a session ended')
      } finally {
        limit.done()
      }
    },
  }
}
