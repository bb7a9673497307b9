import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RemitServer } from '../../lib/api/remit.ts'
import type { ErrorCode, ErrorValues } from '../../lib/core/errors.ts'
import { fallen } from '../../lib/core/standing.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { traceparentOf } from '../telemetry.ts'
import { UpstreamFailure } from '../upstream.ts'
import { createCallHandler } from './call.ts'
import { createEndedSessions } from './end-session.ts'
import { within } from './forward.ts'
import { accepts, header, send } from './http.ts'
import { createInFlight } from './in-flight.ts'
import { readMessage } from './incoming.ts'
import { createListeners } from './listen.ts'
import { AGENT_NOTIFICATIONS, AGENT_REQUESTS, type JsonObject, RPC, rpcError } from './messages.ts'
import { sessionOf } from './named-session.ts'
import { handleNotification } from './notification.ts'
import { createReply } from './reply.ts'
import { handleRequest } from './request.ts'
import { traced } from './traced.ts'

/** What makes `params` no call of a tool, as a phrase. */
const callProblem = (params: JsonObject | undefined): string | undefined => {
  const args = params?.arguments
  if (typeof params?.name !== 'string' || !params.name || params.name.length > 256)
    return 'params.name must be the name of a tool'
  if (args !== undefined && (typeof args !== 'object' || args === null || Array.isArray(args)))
    return 'params.arguments must be an object'
  return params.task === undefined ? undefined : 'tasks are not passed on'
}

/** The MCP side of the gate: one endpoint a declared server, Streamable HTTP, tools only. */
export const createMcpHandler = (gate: GateContext) => {
  const handleCall = createCallHandler(gate)
  const listeners = createListeners(gate)
  gate.authority.onChange(() => listeners.toolsChanged())
  const inFlight = createInFlight()
  const ended = createEndedSessions(gate)
  const liveSession = (id: string) => (ended.has(id) ? undefined : gate.sessions.find(id))
  const serverOf = (inForce: InForce, name: string): RemitServer | undefined =>
    inForce.remit.servers.find((server) => server.name === name)

  const handlePost = async (request: IncomingMessage, response: ServerResponse, name: string) => {
    const message = await readMessage(gate, request, response)
    if (!message) return
    const id = message.kind === 'request' ? message.id : null
    const { method, params } = message
    const inForce = gate.authority.current()
    const reply = createReply(response, gate.limits.answerBytes)
    const refuse = (status: number, rpcCode: number, code: ErrorCode, values?: ErrorValues) =>
      send(response, status, rpcError(id, rpcCode, code, values))
    const allowed = message.kind === 'request' ? AGENT_REQUESTS : AGENT_NOTIFICATIONS
    if (!allowed.has(method)) {
      gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'agent' })
      const status = message.kind === 'request' ? 200 : 400
      return refuse(status, RPC.methodNotFound, 'UnknownMethod', { method: method.slice(0, 64) })
    }
    if (!inForce) return refuse(503, RPC.internal, 'NoRemit')
    const server = serverOf(inForce, name)
    if (!server && method !== 'tools/call')
      return refuse(404, RPC.invalidParams, 'UnknownServer', { server: name.slice(0, 63) })
    // A call is decided and its denial recorded; giving one up is always possible; nothing else leaves without authority.
    const over = fallen(inForce.prepared, gate.now())
    if (over && method !== 'tools/call' && method !== 'notifications/cancelled')
      return refuse(403, RPC.internal, over.code, { at: String(inForce.remit.expiresAt) })
    if (method === 'initialize' && typeof params?.protocolVersion !== 'string')
      return refuse(400, RPC.invalidParams, 'MalformedRequest', { detail: 'params.protocolVersion must be a string' })
    const known = method === 'initialize' || !server ? undefined : sessionOf(liveSession, request, response, name)
    if (response.headersSent) return
    if (message.kind === 'notification') {
      if (server && known) await handleNotification(gate, message, server, known, response, inFlight)
      return
    }
    const limit = within(gate.limits.callMs)
    response.once('close', () => {
      if (!response.writableFinished) limit.abort(new UpstreamFailure('cancelled', 'the agent went away', true))
    })
    const traceparent = header(request, 'traceparent')
    const sessionId = known?.id ?? ''
    try {
      if (method !== 'tools/call') {
        await traced(gate, message, { known, traceparent }, (span) =>
          handleRequest(gate, {
            inForce,
            server: server!,
            session: known?.session,
            message,
            reply,
            signal: limit.signal,
            traceparent: traceparentOf(span),
          }),
        )
        return
      }
      const problem =
        callProblem(params) ??
        (inFlight.has(sessionId, message.id) ? 'a call with this id is on its way already' : undefined)
      if (problem) return refuse(200, RPC.invalidParams, 'MalformedRequest', { detail: problem })
      if (known) inFlight.add(sessionId, message.id, limit.abort)
      await traced(gate, message, { known, traceparent, tool: String(params!.name) }, (span) =>
        handleCall({
          server: name,
          session: known?.session,
          id: message.id,
          raw: message.raw,
          params: params!,
          span,
          reply,
          signal: limit.signal,
        }),
      )
    } finally {
      inFlight.remove(sessionId, message.id, limit.abort)
      limit.done()
    }
  }

  /** Answers one HTTP request to `/mcp/<name>`. */
  const handle = async (request: IncomingMessage, response: ServerResponse, name: string): Promise<void> => {
    if (request.method === 'POST') return handlePost(request, response, name)
    if (request.method !== 'GET' && request.method !== 'DELETE') {
      response.writeHead(405, { allow: 'GET, POST, DELETE' }).end()
      return
    }
    const inForce = gate.authority.current()
    if (!inForce) return send(response, 503, rpcError(null, RPC.internal, 'NoRemit'))
    const server = serverOf(inForce, name)
    if (!server)
      return send(response, 404, rpcError(null, RPC.invalidParams, 'UnknownServer', { server: name.slice(0, 63) }))
    if (request.method === 'DELETE') {
      const known = sessionOf(liveSession, request, response, server.name)
      if (!known) return
      await ended.end(known.id, known.session, server)
      response.writeHead(200).end()
      return
    }
    const over = fallen(inForce.prepared, gate.now())
    if (over)
      return send(response, 403, rpcError(null, RPC.internal, over.code, { at: String(inForce.remit.expiresAt) }))
    if (!accepts(request, 'text/event-stream'))
      return send(
        response,
        406,
        rpcError(null, RPC.transport, 'MalformedRequest', { detail: 'Accept must name text/event-stream' }),
      )
    const known = sessionOf(liveSession, request, response, name)
    if (known) await listeners.open(request, response, server, known.session)
  }
  return { handle, close: listeners.close }
}
