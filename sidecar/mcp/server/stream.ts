import type { RemitServer } from '../../../lib/api/remit.ts'
import type { Outside } from '../../context.ts'
import { targetOf } from '../../target.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { readStream } from '../answer.ts'
import { SessionGone, sessionHeaders } from '../forward.ts'
import type { ServerOptions, ServerPort } from '../ports.ts'
import type { Session } from '../sessions.ts'
import { incoming } from './legacy-exchange.ts'

type Options = Pick<ServerOptions, 'signal' | 'onNotification' | 'onRequest'>

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
    response.resume()
    if (response.statusCode === 404) throw new SessionGone('the server does not know the session')
    return undefined
  }
  const { onMessage } = incoming(gate, { server, session }, options)
  const ended = readStream(response, {
    maxBytes: gate.limits.answerBytes,
    signal: options.signal,
    onMessage,
  }).catch((error: unknown) => {
    if (!(error instanceof UpstreamFailure)) throw error
    gate.log.debug({ server: server.name, reason: error.message }, 'the stream of a server ended')
  })
  return { ended }
}
