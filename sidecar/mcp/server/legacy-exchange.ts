import { HEADER, type RequestId, RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { isObject, isRequestId, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import { discard, UpstreamFailure } from '../../upstream.ts'
import { type Mark, readAnswer, type ServerMessage, StreamOver } from '../answer.ts'
import { OtherEra, SessionGone, sessionHeaders, within } from '../forward.ts'
import type { Answered, ServerOptions } from '../ports.ts'
import type { Session } from '../sessions.ts'
import { COME_BACKS, comeBack } from './come-back.ts'
import { isModernError } from './eras.ts'
import { post, readRefusal } from './post.ts'

const ASIDE_MS = 10_000
/** Requests of one server stream that are being answered at a time; a server that sends more gets no answer to them. */
const MAX_ANSWERING = 16

/** Where messages of one session go. */
export interface Place {
  server: RemitServer
  session: Session | undefined
  traceparent?: string | undefined
}

/** Sends a message nobody waits for an answer to; resolves with the HTTP status. */
export const tell = async (gate: Outside, place: Place, message: JsonObject): Promise<number> => {
  const limit = within(ASIDE_MS)
  try {
    const response = await post(gate, {
      server: place.server,
      headers: sessionHeaders(place.session),
      message,
      traceparent: place.traceparent,
      signal: limit.signal,
    })
    discard(response)
    return response.statusCode ?? 0
  } finally {
    limit.done()
  }
}

/** Hands a session's server's messages on: what it tells, and what it asks, whose answers are sent to it. */
export const incoming = (
  gate: Outside,
  place: Place,
  options: Pick<ServerOptions, 'signal' | 'onNotification' | 'onRequest'>,
) => {
  const { server } = place
  /** What is being answered, to be given up. */
  const answering = new Map<RequestId, AbortController>()
  const answer = async (id: RequestId, method: string, params: JsonObject, unwanted: AbortSignal): Promise<void> => {
    const signal = AbortSignal.any([options.signal, unwanted])
    const answered: Answered =
      method === 'ping'
        ? { result: {} }
        : await options.onRequest({ method, params }, signal).catch((error: unknown) => {
            if (!(error instanceof UpstreamFailure)) throw error
            return { error: { code: RPC.internal, message: 'The client did not answer.' } }
          })
    if (!unwanted.aborted) await tell(gate, place, { jsonrpc: '2.0', id, ...answered })
  }
  return {
    /** Whether the server waits for an answer rather than being waited for. */
    isAsking: () => answering.size > 0,
    onMessage: (message: ServerMessage): void => {
      const { id, method, params } = message.message
      if (id === undefined) {
        const unwanted = method === 'notifications/cancelled' && isObject(params) ? params.requestId : undefined
        if (isRequestId(unwanted))
          answering.get(unwanted)?.abort(new UpstreamFailure('cancelled', 'the server wants no answer any more', true))
        options.onNotification(message)
        return
      }
      if ('result' in message.message || 'error' in message.message) return
      if (answering.size >= MAX_ANSWERING || !isRequestId(id) || answering.has(id)) return
      const controller = new AbortController()
      answering.set(id, controller)
      answer(id, String(method), (params ?? {}) as JsonObject, controller.signal)
        .catch((error: unknown) =>
          gate.log.debug({ err: error, server: server.name }, 'a server could not be answered'),
        )
        .finally(() => answering.delete(id))
    },
  }
}

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
  const { isAsking, onMessage } = incoming(gate, place, { ...options, signal: over.signal })
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
