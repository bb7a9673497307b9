import type { IncomingMessage } from 'node:http'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { UserError } from '../../../lib/core/errors.ts'
import type { Outside } from '../../context.ts'
import { targetOf } from '../../target.ts'
import { discard, UpstreamFailure } from '../../upstream.ts'
import { type Mark, readStream, StreamOver } from '../answer.ts'
import { SessionGone, sessionHeaders } from '../forward.ts'
import type { ServerOptions, ServerPort } from '../ports.ts'
import type { Session } from '../sessions.ts'
import { COME_BACKS, comeBack } from './come-back.ts'
import { hear } from './hear.ts'
import type { Place } from './tell.ts'

type Options = Pick<ServerOptions, 'signal' | 'onNotification' | 'onRequest'>

/** Reads a stream to its end, over as many connections as a server that names its events makes of it. */
const follow = async (gate: Outside, place: Place, first: IncomingMessage, options: Options): Promise<void> => {
  const { onMessage } = hear(gate, place, options)
  const { signal } = options
  const mark: Mark = {}
  let connection: IncomingMessage | undefined = first
  for (let tries = 0; tries < COME_BACKS; tries++) {
    const before = mark.eventId
    if (connection)
      await readStream(connection, { maxBytes: gate.limits.answerBytes, signal, mark, onMessage }).catch(unlessOver)
    if (mark.eventId !== before) tries = -1
    try {
      connection = await comeBack(gate, place, mark, { signal, idleMs: 0 })
      if (!connection) return
    } catch (error) {
      if (!(error instanceof UpstreamFailure) || error.kind !== 'unreachable') throw error
      connection = undefined
    }
  }
}
const unlessOver = (error: unknown): void => {
  if (!(error instanceof StreamOver)) throw error
}

/** The GET stream of a session; undefined where the server has none. */
export const openStream = async (
  gate: Outside,
  server: RemitServer,
  session: Session,
  options: Options,
): ReturnType<ServerPort['listen']> => {
  if (!session.upstream) return undefined
  const response = await gate.send(targetOf('server', server, gate.credentials), {
    method: 'GET',
    headers: { accept: 'text/event-stream', ...sessionHeaders(session) },
    signal: options.signal,
    idleMs: 0,
  })
  if (response.statusCode !== 200) {
    discard(response)
    if (response.statusCode === 404) throw new SessionGone('the server does not know the session')
    return undefined
  }
  const ended = follow(gate, { server, session }, response, options).catch((error: unknown) => {
    if (!(error instanceof UpstreamFailure || error instanceof UserError)) throw error
    gate.log.debug({ server: server.name, reason: error.message }, 'the stream of a server ended')
  })
  return { ended }
}
