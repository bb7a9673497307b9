import { HEADER, META, RPC } from '../../../lib/api/mcp.ts'
import { describe } from '../../../lib/core/errors.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { asOlderCapabilities, offeredToAgent, offeredToServer } from '../capabilities.ts'
import { OtherEra } from '../forward.ts'
import { rpcError } from '../messages.ts'
import { knownMeta } from '../methods/ask-server.ts'
import { isSupportedVersion, PROTOCOL_VERSIONS } from '../revision.ts'
import { exchange } from '../server/legacy-exchange.ts'
import { capabilitiesKept, nameKept } from './client.ts'
import type { Answering, Greeting } from './greet.ts'

/** What a visible-ASCII session id of a server may be (the protocol's own rule). */
const SESSION_ID = /^[\x21-\x7e]{1,1024}$/

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
    capabilities: asOlderCapabilities(isObject(capabilities) ? capabilities : {}, version),
    serverInfo: isObject(info) ? info : { name: server.name, version: 'unknown' },
    ...(typeof instructions === 'string' ? { instructions } : {}),
  }
}

/** Puts the greeting to the server, in whichever era it is of, and begins the agent's session with what it says. */
const begin = async (gate: GateContext, greeting: Greeting): Promise<string | undefined> => {
  const { inForce, server, message, reply } = greeting
  const { id, params } = message
  const asked = String(params?.protocolVersion)
  const version = isSupportedVersion(asked) ? asked : PROTOCOL_VERSIONS[0]
  const modern = (await gate.ports.eraOf(server)) === 'modern'
  const answer = modern
    ? { message: { jsonrpc: '2.0', id, result: await helloOf(gate, greeting, version) }, session: undefined }
    : await initializeThere(gate, greeting, version)
  const { result } = answer.message
  if (!isObject(result)) {
    gate.ports.forgetEra(server)
    const { error } = answer.message as { error?: JsonObject }
    if (error?.code === RPC.urlElicitationRequired)
      throw new UpstreamFailure('invalid', 'it wants a URL opened before there is a session', true)
    reply.answer(answer.message)
    return String(error?.code)
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
  const offered = isObject(result.capabilities) ? result.capabilities : {}
  const session = gate.sessions.open({
    server: server.name,
    version: String(result.protocolVersion),
    ...(upstream === undefined ? {} : { upstream }),
    ...(modern ? { modern: true as const, ...(client ? { client } : {}) } : {}),
    ...(modern && offered.tasks !== undefined ? { tasks: true as const } : {}),
    capabilities: capabilitiesKept(params?.capabilities),
  })
  const remit = gate.authority.current() ?? inForce
  reply.header(HEADER.session, session)
  reply.answer({
    ...answer.message,
    result: { ...result, capabilities: offeredToAgent(remit, server.name, offered) },
  })
  return undefined
}

/** Answers `initialize` and begins a session of the agent's, at the server too where the server keeps sessions. */
export const initialize: Answering = (gate, greeting) =>
  begin(gate, greeting)
    .catch((error: unknown) => {
      if (!(error instanceof OtherEra)) throw error
      gate.ports.forgetEra(greeting.server)
      return begin(gate, greeting)
    })
    .catch((error: unknown) => {
      if (error instanceof UpstreamFailure && error.kind === 'invalid') gate.ports.forgetEra(greeting.server)
      throw error
    })
