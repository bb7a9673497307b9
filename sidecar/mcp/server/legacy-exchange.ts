import { HEADER, type RequestId } from '../../../lib/api/mcp.ts'
import { isModernError } from '../../../lib/core/era.ts'
import type { JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import { discard, UpstreamFailure } from '../../upstream.ts'
import { type Mark, readAnswer, type ServerMessage, StreamOver } from '../answer.ts'
import { OtherEra, SessionGone, sessionHeaders } from '../forward.ts'
import type { ServerOptions } from '../ports.ts'
import { COME_BACKS, comeBack } from './come-back.ts'
import { hear } from './hear.ts'
import { post, readRefusal } from './post.ts'
import { type Place, tell } from './tell.ts'

/**
 * The answer on a stream that was over before it came: servers that name their events may end a connection and go on
 * with another. Rejects with the failure the stream ended by when this server does not.
 */
const resumed = async (
  gate: Outside,
  place: Place,
  reading: Parameters<typeof readAnswer>[1] & { mark: Mark },
  isAsking: () => boolean,
  first: unknown,
): Promise<ServerMessage> => {
  const { mark, signal } = reading
  let failure = first
  for (let tries = 0; tries < COME_BACKS; tries++) {
    const { eventId } = mark
    if (!(failure instanceof StreamOver)) break
    try {
      const response = await comeBack(gate, place, mark, { signal, idleMs: gate.limits.idleMs, isAsking })
      if (!response) break
      return await readAnswer(response, reading)
    } catch (error) {
      if (signal.aborted || (error instanceof UpstreamFailure && error.kind === 'timeout')) throw error
      // As long as something comes of it, it is no failure to come back again.
      if (mark.eventId !== eventId) tries = -1
      if (error instanceof StreamOver) failure = error
    }
  }
  throw failure
}

/** One request in a session, up to its answer. Rejects with UpstreamFailure or SessionGone; given up, it tells the server. */
export const exchange = async (
  gate: Outside,
  place: Place,
  message: JsonObject & { id: RequestId },
  options: ServerOptions,
): Promise<ServerMessage & { session?: string | undefined }> => {
  const over = new AbortController()
  const { isAsking, onMessage } = hear(gate, place, { ...options, signal: over.signal })
  try {
    const response = await post(gate, {
      server: place.server,
      headers: sessionHeaders(place.session),
      message,
      traceparent: options.traceparent,
      signal: options.signal,
      isAsking,
    })
    if (response.statusCode === 404 && place.session?.upstream) {
      discard(response)
      throw new SessionGone('the server does not know the session')
    }
    if (response.statusCode === 400)
      throw isModernError(await readRefusal(response))
        ? new OtherEra('the server knows no sessions')
        : new UpstreamFailure('invalid', 'HTTP 400', true)
    const maxBytes = options.maxBytes ?? gate.limits.answerBytes
    const reading = { id: message.id, maxBytes, signal: options.signal, onMessage, mark: {} as Mark }
    const answer = await readAnswer(response, reading).catch((error: unknown) =>
      resumed(gate, place, reading, isAsking, error),
    )
    const session = response.headers[HEADER.session]
    return { ...answer, session: typeof session === 'string' ? session : undefined }
  } catch (error) {
    if (error instanceof UpstreamFailure && error.sent && error.kind !== 'invalid' && message.method !== 'initialize')
      tell(gate, place, {
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: message.id, reason: 'The client does not wait any more.' },
      }).catch(() => gate.log.debug({ server: place.server.name }, 'the server could not be told of a cancellation'))
    throw error
  } finally {
    if (isAsking()) over.abort(new UpstreamFailure('cancelled', 'the request is over', true))
  }
}
