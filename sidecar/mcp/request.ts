import type { RemitServer } from '../../lib/api/remit.ts'
import { describe, UserError } from '../../lib/core/errors.ts'
import type { PreparedRemit } from '../../lib/core/prepare.ts'
import { redactionsOf } from '../../lib/core/redact.ts'
import { visible } from '../../lib/core/visible.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { UpstreamFailure } from '../upstream.ts'
import { definitionsMatter } from './definitions.ts'
import { exchange, FAILURE_CODES, notify, type Outgoing, SessionGone, serverMessages, within } from './forward.ts'
import {
  isObject,
  isSupportedVersion,
  type JsonObject,
  type Message,
  PROTOCOL_VERSIONS,
  RPC,
  rpcError,
  SERVER_CAPABILITIES,
} from './messages.ts'
import type { Reply } from './reply.ts'
import type { Session } from './sessions.ts'

type Request = Extract<Message, { kind: 'request' }>
export interface PlainRequest {
  inForce: InForce
  server: RemitServer
  session?: Session | undefined
  message: Request
  reply: Reply
  signal: AbortSignal
  traceparent: string
}

/** An error of the way to the server, as the protocol says it. */
const refusal = (
  error: unknown,
  request: PlainRequest,
  idleMs: number,
): { body: JsonObject; status: number; error: string } => {
  const { id } = request.message
  if (error instanceof SessionGone)
    return { body: rpcError(id, RPC.session, 'UnknownSession'), status: 404, error: 'session' }
  if (error instanceof UserError)
    return { body: rpcError(id, RPC.internal, error.code, error.values), status: 200, error: error.code }
  if (!(error instanceof UpstreamFailure)) throw error
  const code = FAILURE_CODES[error.kind]
  const values = { server: request.server.name, detail: error.message, seconds: idleMs / 1000 }
  return { body: rpcError(id, RPC.internal, code, values), status: 200, error: error.kind }
}

/** The agent's `initialize` as the server gets it: no capability a policy cannot decide the use of. */
const asForwarded = (message: Request): JsonObject => {
  if (message.method !== 'initialize') return message.raw
  const version = message.params?.protocolVersion
  return {
    ...message.raw,
    params: {
      ...message.params,
      protocolVersion: isSupportedVersion(version) ? String(version) : PROTOCOL_VERSIONS[0],
      capabilities: {},
    },
  }
}

const filterTools = ({ prepared }: InForce, server: RemitServer, result: JsonObject): JsonObject | undefined => {
  if (!Array.isArray(result.tools)) return undefined
  return {
    ...result,
    tools: result.tools.flatMap((tool) => {
      if (!isObject(tool) || typeof tool.name !== 'string') return []
      return visible(prepared, server.name, tool.name, tool) ? [asOffered(prepared, server.name, tool.name, tool)] : []
    }),
  }
}

/** A tool as the agent gets to see it: a result of which something is withheld has no form that could be promised. */
const asOffered = (prepared: PreparedRemit, server: string, name: string, tool: JsonObject): JsonObject => {
  if (tool.outputSchema === undefined || redactionsOf(prepared, server, name).results.length === 0) return tool
  const { outputSchema: _, ...rest } = tool
  return rest
}

const filterInitialize = (result: JsonObject): JsonObject | undefined => {
  if (!isSupportedVersion(result.protocolVersion)) return undefined
  const offered = isObject(result.capabilities) ? result.capabilities : {}
  const kept = SERVER_CAPABILITIES.filter((name) => isObject(offered[name]))
  const capabilities = Object.fromEntries(kept.map((name) => [name, offered[name]!]))
  // The gate itself says when a new remit shows other tools.
  if (isObject(capabilities.tools)) capabilities.tools = { ...capabilities.tools, listChanged: true }
  return { ...result, capabilities }
}

/** What a visible-ASCII session id of a server may be (the protocol's own rule). */
const SESSION_ID = /^[\x21-\x7e]{1,1024}$/

const openSession = (
  gate: GateContext,
  request: PlainRequest,
  version: string,
  upstream: string | undefined,
): string | undefined => {
  if (upstream !== undefined && !SESSION_ID.test(upstream)) return undefined
  return gate.sessions.open({ server: request.server.name, version, ...(upstream === undefined ? {} : { upstream }) })
}

/**
 * Passes on a request that no rule has to decide (initialize, ping, tools/list, logging/setLevel) and what of its
 * answer the remit lets the agent see. Returns the span's error word.
 */
export const handleRequest = async (gate: GateContext, request: PlainRequest): Promise<string | undefined> => {
  const { message, server, session, reply, traceparent } = request
  const { id, method } = message
  const limit = within(gate.limits.callMs, request.signal)
  const invalid = (detail: string) => {
    reply.answer(rpcError(id, RPC.internal, 'UpstreamInvalid', { server: server.name, detail }))
    return 'invalid'
  }
  try {
    const out: Outgoing = {
      server,
      session,
      traceparent,
      body: Buffer.from(JSON.stringify(asForwarded(message))),
      signal: limit.signal,
    }
    const asked = gate.definitions.moment(server)
    const pass = method === 'initialize' ? () => {} : reply.message
    const answer = await exchange(gate, out, id, serverMessages(gate, out, pass))
    if (!('result' in answer.message)) {
      reply.answer(answer.raw)
      return String((answer.message.error as { code?: unknown }).code)
    }
    const result = answer.message.result as JsonObject
    if (method === 'tools/list') {
      // By the remit of this moment: while the server answered, another may have come.
      const inForce = gate.authority.current() ?? request.inForce
      const filtered = filterTools(inForce, server, result)
      if (!filtered) return invalid('the list of tools is not one')
      if (definitionsMatter(inForce.prepared, server.name))
        gate.definitions.learn(server, result.tools as JsonObject[], asked)
      reply.answer({ ...answer.message, result: filtered })
    } else if (method === 'initialize') {
      const filtered = filterInitialize(result)
      if (!filtered) {
        const values = { version: String(result.protocolVersion).slice(0, 20), supported: PROTOCOL_VERSIONS.join(', ') }
        reply.answer({
          jsonrpc: '2.0',
          id,
          error: {
            code: RPC.invalidParams,
            message: describe('UnsupportedVersion', values).message,
            data: { code: 'UnsupportedVersion', supported: [...PROTOCOL_VERSIONS], requested: values.version },
          },
        })
        return 'version'
      }
      const opened = openSession(gate, request, String(filtered.protocolVersion), answer.session)
      if (!opened) return invalid('the session id has characters outside of visible ASCII')
      reply.header('mcp-session-id', opened)
      reply.answer({ ...answer.message, result: filtered })
    } else reply.answer(answer.raw)
    return undefined
  } catch (error) {
    const told = refusal(error, request, gate.limits.idleMs)
    reply.answer(told.body, told.status)
    if (error instanceof UpstreamFailure && error.kind === 'cancelled')
      notify(
        gate,
        { server, session },
        { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } },
      ).catch(() => gate.log.debug({ server: server.name }, 'the server could not be told of a cancellation'))
    return told.error
  } finally {
    limit.done()
  }
}
