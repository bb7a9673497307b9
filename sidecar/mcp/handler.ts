import type { IncomingMessage, ServerResponse } from 'node:http'
import { HEADER, RPC } from '../../lib/api/mcp.ts'
import type { GateContext } from '../context.ts'
import { UpstreamFailure } from '../upstream.ts'
import { createEndedSessions } from './end-session.ts'
import { createAsks } from './front/asks.ts'
import { admitted, refusing } from './front/door.ts'
import { createLegacyFront } from './front/legacy.ts'
import { createListeners } from './front/listen.ts'
import { createModernFront } from './front/modern.ts'
import { createNotified } from './front/notified.ts'
import { createStreams } from './front/resumable.ts'
import { createServe } from './front/serve.ts'
import { eraOfRequest } from './front/versions.ts'
import { accepts, header } from './http.ts'
import { createInFlight } from './in-flight.ts'
import { readMessage } from './incoming.ts'
import { sessionOf } from './named-session.ts'

/** The MCP side of the gate: one endpoint a declared server, Streamable HTTP in all its revisions. */
export const createMcpHandler = (gate: GateContext) => {
  const asks = createAsks()
  const streams = createStreams()
  const listeners = createListeners(gate, asks)
  gate.authority.onChange(() => listeners.listsChanged())
  const inFlight = createInFlight()
  const ended = createEndedSessions(gate)
  const liveSession = (id: string) => (ended.has(id) ? undefined : gate.sessions.find(id))
  const serve = createServe(gate, inFlight)
  const notified = createNotified(gate, inFlight)
  const legacy = createLegacyFront(gate, { serve, notified, asks, streams, liveSession })
  const modern = createModernFront(gate, { serve, listeners })

  const post = async (request: IncomingMessage, response: ServerResponse, name: string) => {
    const message = await readMessage(gate, request, response)
    if (!message) return
    const front = eraOfRequest(request, message) === 'modern' ? modern : legacy
    return front(request, response, name, message)
  }
  /** What only a session has: its stream, and its end. */
  const inSession = async (request: IncomingMessage, response: ServerResponse, name: string): Promise<unknown> => {
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
      await ended.end(known.id, known.session, server)
      return response.writeHead(200).end()
    }
    if (header(request, 'last-event-id') === undefined) return listeners.open(response, server, known)
    if (!streams.resume(request, response, known.id))
      return refuse(400, RPC.transport, 'MalformedRequest', { detail: 'Last-Event-ID names no stream that goes on' })
  }

  /** Answers one HTTP request to `/mcp/<name>`. */
  const handle = async (request: IncomingMessage, response: ServerResponse, name: string): Promise<void> => {
    if (request.method === 'POST') await post(request, response, name)
    else if (request.method === 'GET' || request.method === 'DELETE') await inSession(request, response, name)
    else response.writeHead(405, { allow: 'GET, POST, DELETE' }).end()
  }
  return {
    handle,
    close: () => {
      listeners.close()
      gate.held.close()
    },
  }
}
