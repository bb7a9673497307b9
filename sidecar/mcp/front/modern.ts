import type { IncomingMessage, ServerResponse } from 'node:http'
import { META, MODERN_VERSION, RPC } from '../../../lib/api/mcp.ts'
import { aliasOf } from '../../../lib/core/alias.ts'
import { describe } from '../../../lib/core/errors.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { mirrorProblem } from '../../../lib/core/mirror/mirror.ts'
import { versionProblem } from '../../../lib/core/mirror/version.ts'
import { header, send } from '../../../lib/service/http.ts'
import { type GateContext, unreadBytes } from '../../context.ts'
import { resumedBy } from '../input.ts'
import type { Message } from '../messages.ts'
import { fateOf } from '../methods/table.ts'
import type { Agent } from '../ports.ts'
import { createModernReply } from '../reply.ts'
import { ALL_VERSIONS, isLogLevel } from '../revision.ts'
import { discover } from './discover.ts'
import { admitted, refusing } from './door.ts'
import { greet } from './greet.ts'
import type { Serve } from './serve.ts'
import type { Subscriptions } from './subscriptions.ts'

type Request = Extract<Message, { kind: 'request' }>

/** What is missing from a request's `_meta`, as a phrase. */
const metaProblem = (meta: unknown): string | undefined => {
  if (!isObject(meta)) return 'params._meta is missing'
  const stray = Object.values(META).find((key) => aliasOf(key, Object.keys(meta)) !== undefined)
  if (stray) return `${stray} must be spelled like this`
  if (typeof meta[META.protocolVersion] !== 'string') return `params._meta["${META.protocolVersion}"] must be a string`
  if (!isObject(meta[META.clientCapabilities])) return `params._meta["${META.clientCapabilities}"] must be an object`
  const { [META.logLevel]: level } = meta
  return level === undefined || isLogLevel(level) ? undefined : `params._meta["${META.logLevel}"] is no level`
}

/** Why a request of the modern revision cannot be served, answered already; undefined when it can. */
const isRefused = (
  gate: GateContext,
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
  { id, method, params = {} }: Request,
): boolean => {
  const refuse = refusing(response, id)
  const problem = metaProblem(params._meta)
  if (problem) {
    refuse(400, RPC.invalidParams, 'MalformedRequest', { detail: problem })
    return true
  }
  const version = String((params._meta as JsonObject)[META.protocolVersion])
  const mismatch = (detail: string) => {
    refuse(400, RPC.headerMismatch, 'MalformedRequest', { detail })
    return true
  }
  const misnamed = versionProblem(request.headersDistinct, version)
  if (misnamed !== undefined) return mismatch(misnamed)
  if (version !== MODERN_VERSION) {
    const supported = [...ALL_VERSIONS]
    const requested = version.slice(0, 20)
    send(response, 400, {
      jsonrpc: '2.0',
      id,
      error: {
        code: RPC.unsupportedVersion,
        message: describe('UnsupportedVersion', { version: requested, supported: supported.join(', ') }).message,
        data: { supported, requested },
      },
    })
    return true
  }
  if (fateOf('agent', 'request', method, 'modern') === 'refused') {
    gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'agent' })
    refuse(404, RPC.methodNotFound, 'UnknownMethod', { method: method.slice(0, 64) })
    return true
  }
  const server = gate.authority.current()?.remit.servers.find((declared) => declared.name === name)
  const mirrored = server && method === 'tools/call' ? gate.ports.paramHeaders.of(server, params.name) : undefined
  const different = mirrorProblem(request.headersDistinct, { method, params }, mirrored)
  return different === undefined ? false : mismatch(different)
}

/** Messages of agents that speak the modern revision: each says all that has to be known of it. */
export const createModernFront =
  (gate: GateContext, { serve, subscriptions }: { serve: Serve; subscriptions: Subscriptions }) =>
  async (request: IncomingMessage, response: ServerResponse, name: string, message: Message): Promise<void> => {
    const refuse = refusing(response, message.kind === 'request' ? message.id : null)
    if (message.kind === 'response')
      return refuse(400, RPC.invalidRequest, 'MalformedRequest', { detail: 'nothing was asked that this could answer' })
    if (message.kind === 'notification') {
      if (fateOf('agent', 'notification', message.method, 'modern') !== 'refused') {
        // A stream that is closed says it already; there is nobody to pass it on to.
        response.writeHead(202).end()
        return
      }
      gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'agent' })
      return refuse(400, RPC.methodNotFound, 'UnknownMethod', { method: message.method.slice(0, 64) })
    }
    if (isRefused(gate, request, response, name, message)) return
    const { method, params = {} } = message
    const door = admitted(gate, refuse, name, method)
    if (!door) return
    const { inForce, server } = door
    const resumed = resumedBy(gate.seal, gate.now(), name, { method, params })
    if (typeof resumed === 'string') return refuse(200, RPC.invalidParams, 'MalformedRequest', { detail: resumed })
    const reply = createModernReply(response, unreadBytes(gate.limits))
    const agent: Agent = {
      era: 'modern',
      version: MODERN_VERSION,
      capabilities: (params._meta as JsonObject)[META.clientCapabilities] as JsonObject,
      notify: reply.message,
      // It is asked by the answer to its request, never beside it.
      ask: async () => ({ error: { code: RPC.methodNotFound, message: 'This client cannot be asked now.' } }),
      resumed,
    }
    const traceparent = header(request, 'traceparent')
    if (method !== 'server/discover' && method !== 'subscriptions/listen')
      return serve({ inForce, name, server, message, agent: server && agent, reply, traceparent })
    if (!server) return
    if (method === 'subscriptions/listen') return subscriptions.subscribe(response, { inForce, server, message, agent })
    await greet(gate, { inForce, server, message, agent, reply }, { agent, traceparent }, discover)
  }
