import type { IncomingMessage, ServerResponse } from 'node:http'
import { HEADER, RPC } from '../../../lib/api/mcp.ts'
import { accepts, header, SSE_HEADERS } from '../../../lib/service/http.ts'
import type { GateContext } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { createEndedSessions } from '../end-session.ts'
import type { InFlight } from '../in-flight.ts'
import { rpcError } from '../messages.ts'
import { sessionOf } from '../named-session.ts'
import { sseEvent } from '../reply.ts'
import type { Session } from '../sessions.ts'
import { admitted, refusing } from './door.ts'
import { type EventId, readEventId, writeEventId } from './event-id.ts'
import type { SessionStreams } from './session-stream.ts'
import type { Streams } from './streams.ts'
import { eraOfRequest } from './versions.ts'

export interface SessionParts {
  streams: Streams
  sessionStreams: SessionStreams
  inFlight: InFlight
  ended: ReturnType<typeof createEndedSessions>
  liveSession: (id: string) => Session | undefined
}

/** Tells an agent that the answer it comes back for will not come: it must not wait for it. */
const tellLost = (response: ServerResponse, { stream, about }: EventId): void => {
  const message = rpcError(about ?? null, RPC.internal, 'AnswerLost')
  const id = writeEventId({ stream, ...(about === undefined ? {} : { about }), at: 'end' })
  response.writeHead(200, SSE_HEADERS).end(sseEvent(JSON.stringify(message), id))
}

/** What only a session has: streams to listen to and to come back to (GET), and its end (DELETE). */
export const createInSession =
  (gate: GateContext, { streams, sessionStreams, inFlight, ended, liveSession }: SessionParts) =>
  async (request: IncomingMessage, response: ServerResponse, name: string): Promise<unknown> => {
    const isStream = request.method === 'GET'
    // A client that tries for a stream before it has a session takes this for an answer.
    if (eraOfRequest(request) === 'modern' || (isStream && header(request, HEADER.session) === undefined))
      return response.writeHead(405, { allow: 'POST' }).end()
    const refuse = refusing(response, null)
    // A session can be ended without authority, a stream cannot be had.
    const door = admitted(gate, refuse, name, isStream ? 'GET' : 'notifications/cancelled')
    if (!door) return
    const { server } = door
    if (!server) return refuse(404, RPC.invalidParams, 'UnknownServer', { server: name.slice(0, 63) })
    if (isStream && !accepts(request, 'text/event-stream'))
      return refuse(406, RPC.transport, 'MalformedRequest', { detail: 'Accept must name text/event-stream' })
    const known = sessionOf(liveSession, request, response, name)
    if (!known) return
    if (!isStream) {
      inFlight.endAll(known.id, new UpstreamFailure('cancelled', 'the agent ended its session', true))
      streams.endSession(known.id)
      await ended.end(known.id, known.session, server)
      return response.writeHead(200).end()
    }
    const last = header(request, 'last-event-id')
    if (last === undefined) return sessionStreams.listen(response, server, known)
    const seen = readEventId(last)
    if (!seen)
      return refuse(400, RPC.transport, 'MalformedRequest', { detail: 'Last-Event-ID is of no stream of this gate' })
    if (seen.about === undefined) return sessionStreams.listen(response, server, known, seen)
    const went = streams.resume(response, known.id, seen)
    if (went === 'lost') tellLost(response, seen)
    // What there is no stream for is told so; with any other status clients try again.
    if (went === 'over') response.writeHead(405, { allow: 'POST' }).end()
  }
