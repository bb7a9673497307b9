import { HEADER, META, RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { describe, UserError } from '../../../lib/core/errors.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { traceparentOf } from '../../telemetry.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { offeredToAgent, offeredToServer } from '../capabilities.ts'
import { FAILURE_CODES, OtherEra, SessionGone, within } from '../forward.ts'
import { type Message, rpcError } from '../messages.ts'
import { knownMeta } from '../methods/ask-server.ts'
import type { Agent } from '../ports.ts'
import type { Reply } from '../reply.ts'
import { ALL_VERSIONS, isSupportedVersion, PROTOCOL_VERSIONS } from '../revision.ts'
import { exchange } from '../server/legacy-exchange.ts'
import { traced } from '../traced.ts'
import { capabilitiesKept, nameKept } from './client.ts'

type Request = Extract<Message, { kind: 'request' }>
export interface Greeting {
  inForce: InForce
  server: RemitServer
  message: Request
  agent: Agent
  reply: Reply
  traceparent: string
  signal: AbortSignal
}

/** Has a greeting answered by `discover` or `initialize`: until it is, or is given up, or takes too long. */
export const greet = async (
  gate: GateContext,
  greeting: Omit<Greeting, 'traceparent' | 'signal'>,
  about: Parameters<typeof traced>[2],
  answer: typeof discover,
): Promise<void> => {
  const limit = within(gate.limits.callMs)
  greeting.reply.whenGone(() => limit.abort(new UpstreamFailure('cancelled', 'the agent went away', true)))
  try {
    await traced(gate, greeting.message, about, (span) =>
      answer(gate, { ...greeting, traceparent: traceparentOf(span), signal: limit.signal }),
    )
  } finally {
    limit.done()
  }
}

/** What a visible-ASCII session id of a server may be (the protocol's own rule). */
const SESSION_ID = /^[\x21-\x7e]{1,1024}$/
const failing =
  (gate: GateContext, greeting: Greeting) =>
  (error: unknown): string => {
    const {
      server,
      message: { id },
      reply,
    } = greeting
    if (error instanceof UserError) {
      reply.answer(rpcError(id, RPC.internal, error.code, error.values))
      return error.code
    }
    if (error instanceof SessionGone)
      return failing(gate, greeting)(new UpstreamFailure('invalid', error.message, true))
    if (!(error instanceof UpstreamFailure)) throw error
    const values = { server: server.name, detail: error.message, seconds: gate.limits.idleMs / 1000 }
    reply.answer(rpcError(id, RPC.internal, FAILURE_CODES[error.kind], values))
    return error.kind
  }

/** Answers `server/discover`: what the server says of itself, as far as the remit lets the agent make use of it. */
export const discover = (gate: GateContext, greeting: Greeting): Promise<string | undefined> => {
  const { inForce, server, message, agent, reply, signal } = greeting
  const answer = async () => {
    const { capabilities, instructions, ttlMs, serverInfo, _meta } = await gate.ports.hello(server, agent, signal)
    const info = (isObject(_meta) ? _meta[META.serverInfo] : undefined) ?? serverInfo
    const remit = gate.authority.current() ?? inForce
    reply.answer({
      jsonrpc: '2.0',
      id: message.id,
      result: {
        resultType: 'complete',
        supportedVersions: [...ALL_VERSIONS],
        capabilities: offeredToAgent(remit, server.name, isObject(capabilities) ? capabilities : {}),
        ...(typeof instructions === 'string' ? { instructions } : {}),
        ttlMs: ttlMs ?? 0,
        cacheScope: 'private',
        ...(isObject(info) ? { _meta: { [META.serverInfo]: info } } : {}),
      },
    })
    return undefined
  }
  return answer().catch(failing(gate, greeting))
}

/** What a legacy server answers to `initialize`, with the session it begins. */
const initializeThere = (
  gate: GateContext,
  { inForce, server, message, traceparent, signal }: Greeting,
  version: string,
) => {
  const { id, method, params } = message
  const client = nameKept(params?.clientInfo)
  return exchange(
    gate,
    { server, session: undefined, traceparent },
    {
      jsonrpc: '2.0',
      id,
      method,
      params: {
        protocolVersion: version,
        capabilities: offeredToServer(inForce, server.name, isObject(params?.capabilities) ? params.capabilities : {}),
        ...(client ? { clientInfo: client } : {}),
        _meta: knownMeta(params, traceparent),
      },
    },
    {
      signal,
      traceparent,
      onNotification: () => {},
      onRequest: async () => ({ error: { code: RPC.methodNotFound, message: 'The session has not begun.' } }),
    },
  )
}

/** A modern server's answer to `server/discover` as one to `initialize`. */
const helloOf = async (
  gate: GateContext,
  { server, agent, signal }: Greeting,
  version: string,
): Promise<JsonObject> => {
  const { capabilities, instructions, _meta } = await gate.ports.hello(server, agent, signal)
  const info = isObject(_meta) ? _meta[META.serverInfo] : undefined
  return {
    protocolVersion: version,
    capabilities: isObject(capabilities) ? capabilities : {},
    serverInfo: isObject(info) ? info : { name: server.name, version: 'unknown' },
    ...(typeof instructions === 'string' ? { instructions } : {}),
  }
}

/** Answers `initialize` and begins a session of the agent's, at the server too where the server keeps sessions. */
export const initialize = (gate: GateContext, greeting: Greeting): Promise<string | undefined> => {
  const { inForce, server, message, reply } = greeting
  const { id, params } = message
  const asked = String(params?.protocolVersion)
  const version = isSupportedVersion(asked) ? asked : PROTOCOL_VERSIONS[0]
  const open = async (): Promise<string | undefined> => {
    const modern = (await gate.ports.eraOf(server)) === 'modern'
    const answer = modern
      ? { message: { jsonrpc: '2.0', id, result: await helloOf(gate, greeting, version) }, session: undefined }
      : await initializeThere(gate, greeting, version)
    const { result } = answer.message
    if (!isObject(result)) {
      gate.ports.forgetEra(server)
      reply.answer(answer.message)
      return String((answer.message as { error?: { code?: unknown } }).error?.code)
    }
    if (!isSupportedVersion(result.protocolVersion)) {
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
    const { session: upstream } = answer
    if (upstream !== undefined && !SESSION_ID.test(upstream)) {
      const detail = 'the session id has characters outside of visible ASCII'
      reply.answer(rpcError(id, RPC.internal, 'UpstreamInvalid', { server: server.name, detail }))
      return 'invalid'
    }
    const client = nameKept(params?.clientInfo)
    const session = gate.sessions.open({
      server: server.name,
      version: String(result.protocolVersion),
      ...(upstream === undefined ? {} : { upstream }),
      ...(modern ? { modern: true as const, ...(client ? { client } : {}) } : {}),
      capabilities: capabilitiesKept(params?.capabilities),
    })
    const remit = gate.authority.current() ?? inForce
    const offered = isObject(result.capabilities) ? result.capabilities : {}
    reply.header(HEADER.session, session)
    reply.answer({
      ...answer.message,
      result: { ...result, capabilities: offeredToAgent(remit, server.name, offered) },
    })
    return undefined
  }
  const otherwise = (error: unknown): Promise<string | undefined> => {
    if (!(error instanceof OtherEra)) throw error
    gate.ports.forgetEra(server)
    return open()
  }
  return open()
    .catch(otherwise)
    .catch((error: unknown) => {
      if (error instanceof UpstreamFailure && error.kind === 'invalid') gate.ports.forgetEra(server)
      return failing(gate, greeting)(error)
    })
}
