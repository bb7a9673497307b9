import { RPC, TASKS_EXTENSION } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { asNewerCapabilities, offeredToServer } from '../capabilities.ts'
import { OtherEra, SessionGone, within } from '../forward.ts'
import type { Agent, Era, ServerOptions, ServerPort } from '../ports.ts'
import type { Session } from '../sessions.ts'
import { createEras } from './eras.ts'
import { createLegacyPort } from './legacy.ts'
import { createModernPort } from './modern.ts'
import { forLegacyAgent } from './modern-for-legacy.ts'
import { createNewerTasks } from './newer-tasks.ts'
import { createGivenUp, createOlderTasks } from './older-tasks.ts'
import { createOwnPort } from './own.ts'
import { ownId } from './own-id.ts'
import { createOwnSessions } from './own-sessions.ts'
import { createOwnStreams } from './own-stream.ts'
import { createParamHeaders, type ParamHeaders } from './param-headers.ts'

/** The ways to servers, for agents and for the gate itself. */
export interface ServerPorts {
  /** Which era the server speaks; rejects as a request would. */
  eraOf: (server: RemitServer) => Promise<Era>
  forAgent: (server: RemitServer, agent: Agent) => ServerPort
  /** For what the gate has to ask by itself; in no session of an agent, and with no capability. */
  forGate: (server: RemitServer) => ServerPort
  /** What a server says of itself to this agent: `capabilities`, and what else it likes. Rejects as a request would. */
  hello: (server: RemitServer, agent: Agent, signal: AbortSignal) => Promise<JsonObject>
  /** The server has behaved as one of another era. */
  forgetEra: (server: RemitServer) => void
  paramHeaders: ParamHeaders
}

const NOBODY: Omit<ServerOptions, 'signal'> = {
  onNotification: () => {},
  onRequest: async () => ({ error: { code: RPC.methodNotFound, message: 'This client answers no requests.' } }),
}

export const createServerPorts = (gate: Outside): ServerPorts => {
  const eras = createEras(gate)
  const paramHeaders = createParamHeaders()
  const givenUp = createGivenUp()
  const own = {
    sessions: createOwnSessions(gate),
    streams: createOwnStreams(gate),
    tasks: createNewerTasks(gate),
    paramHeaders,
  }

  const knownCapabilities = (server: RemitServer, capabilities: JsonObject): JsonObject => {
    const inForce = gate.authority.current()
    return inForce ? offeredToServer(inForce, server.name, capabilities) : {}
  }
  const stateless = (server: RemitServer, capabilities: JsonObject): ServerPort => {
    let port: ServerPort | undefined
    const byEra = async (): Promise<ServerPort> => {
      const known = knownCapabilities(server, capabilities)
      port =
        (await eras.of(server)) === 'modern'
          ? createModernPort(gate, { eras, paramHeaders }, server, () => ({ capabilities: known }))
          : createOwnPort(gate, own, server, known)
      return port
    }
    /** Once more where the server turns out to be of another era since; it has not taken what was sent. */
    const inEra = async <T>(work: (port: ServerPort) => Promise<T>): Promise<T> => {
      const first = await byEra()
      try {
        return await work(first)
      } catch (error) {
        if (!(error instanceof OtherEra)) throw error
        eras.forget(server)
      }
      return work(await byEra()).catch((error: unknown) => {
        throw error instanceof SessionGone ? new UpstreamFailure('invalid', error.message, true) : error
      })
    }
    return {
      server,
      version: () => port?.version(),
      request: (message, options) => inEra((port) => port.request(message, options)),
      notify: (message) => inEra((port) => port.notify(message)),
      listen: (wanted, options) => inEra((port) => port.listen(wanted, options)),
    }
  }
  const inSession = (server: RemitServer, id: string, session: Session): ServerPort => {
    if (!session.modern) {
      const port = createLegacyPort(gate, server, session)
      const request: ServerPort['request'] = (message, options) =>
        port.request(message, options).catch((error: unknown) => {
          if (error instanceof OtherEra) eras.forget(server)
          throw error
        })
      return { ...port, request }
    }
    const kept = gate.kept.of(id)
    const port = createModernPort(gate, { eras, paramHeaders }, server, ({ method, params }) => {
      const capabilities = knownCapabilities(server, session.capabilities ?? {})
      // The older revision says by the request whether it may become a task.
      const mayBeTask = session.tasks === true && (params.task !== undefined || method.startsWith('tasks/'))
      return {
        capabilities: mayBeTask ? { ...capabilities, extensions: { [TASKS_EXTENSION]: {} } } : capabilities,
        client: session.client,
        logLevel: kept.level(),
      }
    })
    return forLegacyAgent(gate, port, kept, createOlderTasks(gate, server.name, givenUp, port.request))
  }
  /** What a server says of its tools concerns decisions, whoever it says it to. */
  const watched = (port: ServerPort): ServerPort => {
    const watching = <O extends Pick<ServerOptions, 'onNotification'>>(options: O): O => ({
      ...options,
      onNotification: (message) => {
        if (message.message.method === 'notifications/tools/list_changed') gate.definitions.changed(port.server)
        options.onNotification(message)
      },
    })
    return {
      server: port.server,
      version: port.version,
      request: (message, options) => port.request(message, watching(options)),
      notify: port.notify,
      listen: (wanted, options) => port.listen(wanted, watching(options)),
    }
  }
  return {
    eraOf: eras.of,
    forgetEra: eras.forget,
    paramHeaders,
    forAgent: (server, agent) =>
      watched(
        agent.session
          ? inSession(server, agent.session.id, agent.session.session)
          : stateless(server, agent.capabilities),
      ),
    forGate: (server) => watched(stateless(server, {})),
    hello: async (server, agent, outer) => {
      const known = knownCapabilities(server, agent.capabilities)
      if ((await eras.of(server)) === 'legacy') {
        const { serverInfo, capabilities, instructions } = await createOwnPort(gate, own, server, known).hello()
        return {
          capabilities: asNewerCapabilities(isObject(capabilities) ? capabilities : {}),
          ...(serverInfo === undefined ? {} : { serverInfo }),
          ...(instructions === undefined ? {} : { instructions }),
        }
      }
      const limit = within(gate.limits.idleMs, outer)
      try {
        const port = createModernPort(gate, { eras, paramHeaders }, server, () => ({ capabilities: known }))
        const asked = { method: 'server/discover', params: {}, id: ownId() }
        const { result } = (await port.request(asked, { ...NOBODY, signal: limit.signal })).message
        if (isObject(result)) return result
        eras.forget(server)
        throw new UpstreamFailure('invalid', 'the server does not say what it can do', true)
      } finally {
        limit.done()
      }
    },
  }
}
