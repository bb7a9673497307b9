import type { IncomingMessage, ServerResponse } from 'node:http'
import { HEADER, RPC } from '../../../lib/api/mcp.ts'
import { header } from '../../../lib/service/http.ts'
import { type GateContext, unreadBytes } from '../../context.ts'
import type { Message } from '../messages.ts'
import { fateOf } from '../methods/table.ts'
import { sessionOf } from '../named-session.ts'
import type { Agent } from '../ports.ts'
import { createReply, type Reply } from '../reply.ts'
import type { Session } from '../sessions.ts'
import type { Asks } from './asks.ts'
import { admitted, refusing } from './door.ts'
import { greet } from './greet.ts'
import { initialize } from './initialize.ts'
import type { createNotified } from './notified.ts'
import type { Serve } from './serve.ts'
import { createSessionReply } from './session-reply.ts'
import type { Streams } from './streams.ts'

export interface LegacyParts {
  serve: Serve
  notified: ReturnType<typeof createNotified>
  asks: Asks
  streams: Streams
  /** A session that works; ended ones do not. */
  liveSession: (id: string) => Session | undefined
}

/** An agent in its session, on the stream of one of its requests. */
const agentOn = (asks: Asks, known: { id: string; session: Session }, reply: Reply): Agent => ({
  era: 'legacy',
  version: known.session.version,
  capabilities: known.session.capabilities ?? {},
  session: known,
  notify: reply.message,
  ask: (request, signal) => asks.ask(known.id, reply.message, request, signal),
})

/** Messages of agents that speak the revisions with sessions. */
export const createLegacyFront =
  (gate: GateContext, { serve, notified, asks, streams, liveSession }: LegacyParts) =>
  async (request: IncomingMessage, response: ServerResponse, name: string, message: Message): Promise<void> => {
    const id = message.kind === 'request' ? message.id : null
    const refuse = refusing(response, id)
    if (message.kind === 'response') {
      const known = sessionOf(liveSession, request, response, name)
      if (!known) return
      if (asks.answer(known.id, message.id, message.answered)) response.writeHead(202).end()
      else refuse(400, RPC.invalidRequest, 'MalformedRequest', { detail: 'nothing was asked that this could answer' })
      return
    }
    const { method, params } = message
    if (fateOf('agent', message.kind, method, 'legacy') === 'refused') {
      gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'agent' })
      const status = message.kind === 'request' ? 200 : 400
      return refuse(status, RPC.methodNotFound, 'UnknownMethod', { method: method.slice(0, 64) })
    }
    const door = admitted(gate, refuse, name, method)
    if (!door) return
    const { inForce, server } = door
    const traceparent = header(request, 'traceparent')
    if (message.kind === 'notification') {
      // Some clients send them before they have a session, or without naming it; nobody waits for them.
      if (header(request, HEADER.session) === undefined) return void response.writeHead(202).end()
      const known = sessionOf(liveSession, request, response, name)
      if (known && server) await notified(message, { inForce, server, known }, response)
      return
    }
    if (method !== 'initialize') {
      const known = server && sessionOf(liveSession, request, response, name)
      if (response.headersSent) return
      const { returnMs } = gate.limits
      const reply = known
        ? createSessionReply(response, known, message.id, { streams, returnMs })
        : createReply(response, 0)
      const agent = known && agentOn(asks, known, reply)
      return serve({ inForce, name, server, message, agent, reply, traceparent })
    }
    if (!server) return
    if (typeof params?.protocolVersion !== 'string')
      return refuse(400, RPC.invalidParams, 'MalformedRequest', { detail: 'params.protocolVersion must be a string' })
    const reply = createReply(response, unreadBytes(gate.limits))
    const agent: Agent = {
      era: 'legacy',
      version: params.protocolVersion,
      capabilities: {},
      notify: () => {},
      ask: async () => ({ error: { code: RPC.methodNotFound, message: 'The session has not begun.' } }),
    }
    await greet(gate, { inForce, server, message, agent, reply }, { traceparent }, initialize)
  }
