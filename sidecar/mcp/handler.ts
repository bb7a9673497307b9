import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RemitServer } from '../../lib/api/remit.ts'
import { fallen } from '../../lib/core/standing.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { targetOf } from '../target.ts'
import { ATTR, endSpan, parentContext, SpanKind, startSpan, traceparentOf } from '../telemetry.ts'
import { UpstreamFailure } from '../upstream.ts'
import { handleCall } from './call.ts'
import { notify, sessionHeaders, within } from './forward.ts'
import { accepts, header, send } from './http.ts'
import { readMessage } from './incoming.ts'
import { createListeners } from './listen.ts'
import {
  AGENT_NOTIFICATIONS,
  AGENT_REQUESTS,
  isRequestId,
  type JsonObject,
  type Message,
  RPC,
  rpcError,
} from './messages.ts'
import { sessionOf } from './named-session.ts'
import { createReply } from './reply.ts'
import { handleRequest } from './request.ts'
import { type Session, sessionLabel } from './sessions.ts'

const MAX_ENDED = 10_000

/** The MCP side of the gate: one endpoint a declared server, Streamable HTTP, tools only. */
export const createMcpHandler = (gate: GateContext) => {
  const listeners = createListeners(gate)
  gate.authority.onChange(() => listeners.toolsChanged())
  /** Calls on their way, by session and request id, to be given up. */
  const inFlight = new Map<string, (reason: UpstreamFailure) => void>()
  const ended = new Set<string>()
  const liveSession = (id: string) => (ended.has(id) ? undefined : gate.sessions.find(id))
  const flightKey = (sessionId: string, id: unknown) => `${sessionId} ${typeof id} ${id}`

  const serverOf = (inForce: InForce, name: string): RemitServer | undefined =>
    inForce.remit.servers.find((server) => server.name === name)

  const handleNotification = async (
    message: Extract<Message, { kind: 'notification' }>,
    server: RemitServer,
    known: { id: string; session: Session },
    response: ServerResponse,
  ) => {
    const requestId = message.params?.requestId
    try {
      const status = await notify(gate, { server, session: known.session }, message.raw)
      if (message.method === 'notifications/cancelled' && isRequestId(requestId)) {
        const give = inFlight.get(flightKey(known.id, requestId))
        if (give)
          setTimeout(
            () => give(new UpstreamFailure('cancelled', 'cancelled by the agent', true)),
            gate.limits.cancelGraceMs,
          ).unref()
      }
      if (status === 404) send(response, 404, rpcError(null, RPC.session, 'UnknownSession'))
      else if (status >= 200 && status < 300) response.writeHead(202).end()
      else
        send(
          response,
          502,
          rpcError(null, RPC.internal, 'UpstreamInvalid', { server: server.name, detail: `HTTP ${status}` }),
        )
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error
      send(
        response,
        502,
        rpcError(null, RPC.internal, 'UpstreamUnreachable', { server: server.name, detail: error.message }),
      )
    }
  }

  const traced = async (
    request: IncomingMessage,
    message: Extract<Message, { kind: 'request' }>,
    known: { id: string; session: Session } | undefined,
    work: (span: ReturnType<typeof startSpan>) => Promise<string | undefined>,
    tool?: string,
  ) => {
    const began = gate.now()
    const meta = message.params?._meta as JsonObject | undefined
    const attributes = {
      [ATTR.method]: message.method,
      ...(tool ? { [ATTR.tool]: tool, [ATTR.operation]: 'execute_tool' } : {}),
    }
    const span = startSpan(
      gate.telemetry.tracer,
      tool ? `${message.method} ${tool}` : message.method,
      SpanKind.SERVER,
      {
        ...attributes,
        [ATTR.requestId]: String(message.id),
        [ATTR.transport]: 'tcp',
        ...(known ? { [ATTR.session]: sessionLabel(known.id), [ATTR.protocol]: known.session.version } : {}),
      },
      parentContext(meta?.traceparent, header(request, 'traceparent')),
    )
    let error: string | undefined = '_OTHER'
    try {
      error = await work(span)
    } finally {
      endSpan(span, {}, error)
      gate.telemetry.instruments.server.record((gate.now() - began) / 1000, {
        [ATTR.method]: message.method,
        ...(error ? { [ATTR.error]: error } : {}),
      })
    }
  }

  const handlePost = async (request: IncomingMessage, response: ServerResponse, name: string) => {
    const message = await readMessage(gate, request, response)
    if (!message) return
    const id = message.kind === 'request' ? message.id : null
    const { method, params } = message
    const inForce = gate.authority.current()
    const reply = createReply(response, gate.limits.answerBytes)
    const allowed = message.kind === 'request' ? AGENT_REQUESTS : AGENT_NOTIFICATIONS
    if (!allowed.has(method)) {
      gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'agent' })
      const status = message.kind === 'request' ? 200 : 400
      send(response, status, rpcError(id, RPC.methodNotFound, 'UnknownMethod', { method: method.slice(0, 64) }))
      return
    }
    if (!inForce) {
      send(response, 503, rpcError(id, RPC.internal, 'NoRemit'))
      return
    }
    const server = serverOf(inForce, name)
    if (!server && method !== 'tools/call') {
      send(response, 404, rpcError(id, RPC.invalidParams, 'UnknownServer', { server: name.slice(0, 63) }))
      return
    }
    // A call is decided and its denial recorded; giving one up is always possible; nothing else leaves without authority.
    const ended = fallen(inForce.prepared, gate.now())
    if (ended && method !== 'tools/call' && method !== 'notifications/cancelled') {
      send(response, 403, rpcError(id, RPC.internal, ended.code, { at: String(inForce.remit.expiresAt) }))
      return
    }
    if (method === 'initialize' && typeof params?.protocolVersion !== 'string') {
      send(
        response,
        400,
        rpcError(id, RPC.invalidParams, 'MalformedRequest', { detail: 'params.protocolVersion must be a string' }),
      )
      return
    }
    const known = method === 'initialize' || !server ? undefined : sessionOf(liveSession, request, response, name)
    if (response.headersSent) return
    if (message.kind === 'notification') {
      if (server && known) await handleNotification(message, server, known, response)
      return
    }
    const limit = within(gate.limits.callMs)
    response.once('close', () => {
      if (!response.writableFinished) limit.abort(new UpstreamFailure('cancelled', 'the agent went away', true))
    })
    const key = flightKey(known?.id ?? '', id)
    try {
      if (method !== 'tools/call') {
        await traced(request, message, known, (span) =>
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
      const args = params?.arguments
      const problem =
        typeof params?.name !== 'string' || !params.name || params.name.length > 256
          ? 'params.name must be the name of a tool'
          : args !== undefined && (typeof args !== 'object' || args === null || Array.isArray(args))
            ? 'params.arguments must be an object'
            : params.task !== undefined
              ? 'tasks are not passed on'
              : inFlight.has(key)
                ? 'a call with this id is on its way already'
                : undefined
      if (problem) {
        send(response, 200, rpcError(id, RPC.invalidParams, 'MalformedRequest', { detail: problem }))
        return
      }
      if (known) inFlight.set(key, limit.abort)
      await traced(
        request,
        message,
        known,
        (span) =>
          handleCall(gate, {
            inForce,
            serverName: name,
            declared: server,
            session: known?.session,
            id: message.id,
            raw: message.raw,
            params: params!,
            span,
            reply,
            signal: limit.signal,
          }),
        String(params!.name),
      )
    } finally {
      if (inFlight.get(key) === limit.abort) inFlight.delete(key)
      limit.done()
    }
  }

  const handleDelete = async (request: IncomingMessage, response: ServerResponse, server: RemitServer) => {
    const known = sessionOf(liveSession, request, response, server.name)
    if (!known) return
    if (ended.size >= MAX_ENDED) ended.delete(ended.values().next().value!)
    ended.add(known.id)
    if (known.session.upstream) {
      const limit = within(gate.limits.idleMs)
      try {
        const answer = await gate.send(targetOf('server', server, gate.credentials), {
          method: 'DELETE',
          headers: sessionHeaders(known.session),
          signal: limit.signal,
          idleMs: gate.limits.idleMs,
        })
        answer.resume()
      } catch (error) {
        if (!(error instanceof UpstreamFailure)) throw error
        gate.log.debug({ server: server.name, reason: error.message }, 'the server was not told that a session ended')
      } finally {
        limit.done()
      }
    }
    response.writeHead(200).end()
  }

  /** Answers one HTTP request to `/mcp/<name>`. */
  const handle = async (request: IncomingMessage, response: ServerResponse, name: string): Promise<void> => {
    if (request.method === 'POST') return handlePost(request, response, name)
    if (request.method !== 'GET' && request.method !== 'DELETE') {
      response.writeHead(405, { allow: 'GET, POST, DELETE' }).end()
      return
    }
    const inForce = gate.authority.current()
    const server = inForce && serverOf(inForce, name)
    if (!server) {
      send(
        response,
        inForce ? 404 : 503,
        inForce
          ? rpcError(null, RPC.invalidParams, 'UnknownServer', { server: name.slice(0, 63) })
          : rpcError(null, RPC.internal, 'NoRemit'),
      )
      return
    }
    if (request.method === 'DELETE') return handleDelete(request, response, server)
    const ended = fallen(inForce.prepared, gate.now())
    if (ended) {
      send(response, 403, rpcError(null, RPC.internal, ended.code, { at: String(inForce.remit.expiresAt) }))
      return
    }
    if (!accepts(request, 'text/event-stream')) {
      send(
        response,
        406,
        rpcError(null, RPC.transport, 'MalformedRequest', { detail: 'Accept must name text/event-stream' }),
      )
      return
    }
    const known = sessionOf(liveSession, request, response, name)
    if (known) await listeners.open(request, response, server, known.session)
  }
  return { handle, close: listeners.close }
}
