import type { ServerResponse } from 'node:http'
import { META, RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { offersAny } from '../../../lib/core/decide-other.ts'
import { UserError } from '../../../lib/core/errors.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { pause } from '../../../lib/service/pause.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import { SessionGone } from '../forward.ts'
import { send } from '../http.ts'
import { type Message, rpcError } from '../messages.ts'
import { followable } from '../methods/follow.ts'
import { serverNotification } from '../methods/server-notifications.ts'
import type { Agent, RequestScene, Wanted } from '../ports.ts'
import { SSE_HEADERS, sseEvent, writeEvent } from '../reply.ts'
import { gateServerRequest } from '../server-requests.ts'
import type { Session } from '../sessions.ts'
import type { Asks } from './asks.ts'

const KEEPALIVE_MS = 15_000
const MAX_URIS = 100
/** How soon a server's stream that ended is opened again. */
const REOPEN_MS = 1_000

const LISTS = ['tools', 'prompts', 'resources'] as const
const changed = (list: (typeof LISTS)[number]) => `notifications/${list}/list_changed`

/** What agents are told of without having asked for an answer. */
export interface Listeners {
  /** The GET stream of a session. */
  open: (response: ServerResponse, server: RemitServer, known: { id: string; session: Session }) => Promise<void>
  /** `subscriptions/listen`. */
  subscribe: (
    response: ServerResponse,
    request: { inForce: InForce; server: RemitServer; message: Extract<Message, { kind: 'request' }>; agent: Agent },
  ) => Promise<void>
  /** Tells every agent that listens that its lists may have changed. */
  listsChanged: () => void
  /** Ends all streams. */
  close: () => void
}

interface Stream {
  tell: (message: JsonObject) => void
  end: () => void
}

/** What a subscription may be told of, of what it asks for; each of the resources has still to be decided. */
const honoured = ({ prepared }: InForce, server: string, asked: unknown): Wanted => {
  const wants = isObject(asked) ? asked : {}
  const uris = Array.isArray(wants.resourceSubscriptions) ? wants.resourceSubscriptions.slice(0, MAX_URIS) : []
  return {
    tools: wants.toolsListChanged === true,
    prompts: wants.promptsListChanged === true && offersAny(prepared, 'prompt', server),
    resources: wants.resourcesListChanged === true && offersAny(prepared, 'resource', server),
    uris: uris.filter((uri): uri is string => typeof uri === 'string'),
  }
}

/** Streams for what servers send of their own accord, and for the gate itself to say that a remit changed the lists. */
export const createListeners = (gate: GateContext, asks: Asks): Listeners => {
  const streams = new Set<Stream>()

  const keep = (response: ServerResponse, stream: Stream) => {
    streams.add(stream)
    const keepalive = setInterval(() => response.write(': open\n\n'), KEEPALIVE_MS)
    response.once('close', () => {
      clearInterval(keepalive)
      streams.delete(stream)
    })
  }
  const signalOf = (response: ServerResponse) => {
    const controller = new AbortController()
    response.once('close', () => controller.abort(new UpstreamFailure('cancelled', 'the agent went away', true)))
    return controller.signal
  }
  /** The failure of a way to a server; what is none of these is our own mistake. */
  const failureOf = (error: unknown): UpstreamFailure | SessionGone | UserError => {
    if (error instanceof UpstreamFailure || error instanceof SessionGone || error instanceof UserError) return error
    throw error
  }

  return {
    close: () => {
      for (const { end } of streams) end()
    },
    listsChanged: () => {
      for (const { tell } of streams) for (const list of LISTS) tell({ jsonrpc: '2.0', method: changed(list) })
    },
    open: async (response, server, known) => {
      const signal = signalOf(response)
      const write = (raw: string) => writeEvent(response, raw, gate.limits.answerBytes)
      const { version, capabilities = {} } = known.session
      const agent: Agent = {
        era: 'legacy',
        version,
        capabilities,
        session: known,
        notify: write,
        ask: (request, until) => asks.ask(known.id, write, request, until),
      }
      const scene = (): RequestScene => ({ inForce: gate.authority.current()!, server, agent })
      const upstream = await gate.ports
        .forAgent(server, agent)
        .listen(
          { tools: true, prompts: true, resources: true, uris: [] },
          {
            signal,
            onNotification: (message) => {
              const passed = serverNotification(gate, scene(), message)
              if (passed !== undefined) write(passed)
            },
            onRequest: (request, until) => gateServerRequest(gate, scene(), request, until),
          },
        )
        .catch(failureOf)
      if (upstream instanceof SessionGone) return send(response, 404, rpcError(null, RPC.session, 'UnknownSession'))
      if (upstream instanceof Error) {
        const values = { server: server.name, detail: upstream.message }
        return send(response, 502, rpcError(null, RPC.internal, 'UpstreamUnreachable', values))
      }
      response.writeHead(200, SSE_HEADERS)
      response.flushHeaders()
      keep(response, { tell: (message) => write(JSON.stringify(message)), end: () => response.end() })
      // Where a server has no such stream the gate holds this one open itself.
      await upstream?.ended.then(() => response.end())
    },
    subscribe: async (response, { inForce, server, message, agent }) => {
      const signal = signalOf(response)
      const { id } = message
      const asked = honoured(inForce, server.name, message.params?.notifications)
      const wanted = { ...asked, uris: await followable(gate, { inForce, server, agent }, asked.uris) }
      if (response.destroyed) return
      const tagged = (told: JsonObject): string =>
        JSON.stringify({
          ...told,
          params: {
            ...(isObject(told.params) ? told.params : {}),
            _meta: {
              ...(isObject(told.params) && isObject(told.params._meta) ? told.params._meta : {}),
              [META.subscriptionId]: id,
            },
          },
        })
      const wants = (method: unknown) => LISTS.some((list) => wanted[list] && method === changed(list))
      const tell = (told: JsonObject) => {
        if (wants(told.method)) writeEvent(response, tagged(told), gate.limits.answerBytes)
      }
      const onNotification = (told: ServerMessage) => {
        const scene: RequestScene = { inForce: gate.authority.current() ?? inForce, server, agent }
        const passed = serverNotification(gate, scene, told)
        if (passed === undefined) return
        const notification = JSON.parse(passed) as JsonObject
        const { method, params } = notification
        const isFollowed =
          method === 'notifications/resources/updated' && isObject(params) && wanted.uris.includes(String(params.uri))
        if (isFollowed) writeEvent(response, tagged(notification), gate.limits.answerBytes)
        else tell(notification)
      }
      response.writeHead(200, SSE_HEADERS)
      response.write(
        sseEvent(
          tagged({
            jsonrpc: '2.0',
            method: 'notifications/subscriptions/acknowledged',
            params: {
              notifications: {
                ...(wanted.tools ? { toolsListChanged: true } : {}),
                ...(wanted.prompts ? { promptsListChanged: true } : {}),
                ...(wanted.resources ? { resourcesListChanged: true } : {}),
                ...(wanted.uris.length > 0 ? { resourceSubscriptions: wanted.uris } : {}),
              },
            },
          }),
        ),
      )
      const end = () => {
        const result = { resultType: 'complete', _meta: { [META.subscriptionId]: id } }
        response.end(sseEvent(JSON.stringify({ jsonrpc: '2.0', id, result })))
      }
      keep(response, { tell, end })
      while (!signal.aborted) {
        const upstream = await gate.ports
          .forAgent(server, agent)
          .listen(wanted, {
            signal,
            onNotification,
            onRequest: async () => ({
              error: { code: RPC.methodNotFound, message: 'A subscription answers nothing.' },
            }),
          })
          .catch(failureOf)
        if (upstream !== undefined && !(upstream instanceof Error)) await upstream.ended
        else if (upstream === undefined) return
        await pause(REOPEN_MS, signal)
      }
    },
  }
}
