import type { ServerResponse } from 'node:http'
import { META, RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { offered, offersAny } from '../../../lib/core/decide-other.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { fallen } from '../../../lib/core/standing.ts'
import { SSE_HEADERS } from '../../../lib/service/http.ts'
import { pause } from '../../../lib/service/pause.ts'
import type { InForce } from '../../authority.ts'
import { type GateContext, unreadBytes } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import type { Message } from '../messages.ts'
import { followable } from '../methods/follow.ts'
import { serverNotification } from '../methods/server-notifications.ts'
import type { Agent, RequestScene, ServerOptions, Wanted } from '../ports.ts'
import { KEEPALIVE_MS, sseEvent, writeEvent } from '../reply.ts'
import { wayFailure } from './failure.ts'
import { isStillDeclared } from './still-declared.ts'

const MAX_URIS = 100
/** How soon a server's stream that ended is opened again. */
const REOPEN_MS = 1_000

const LISTS = ['tools', 'prompts', 'resources'] as const
const changed = (list: (typeof LISTS)[number]) => `notifications/${list}/list_changed`
/** What says that every list may have changed. */
export const LISTS_CHANGED: readonly JsonObject[] = LISTS.map((list) => ({ jsonrpc: '2.0', method: changed(list) }))

/** The streams by which agents without sessions hear what changes (`subscriptions/listen`). */
export interface Subscriptions {
  subscribe: (
    response: ServerResponse,
    request: { inForce: InForce; server: RemitServer; message: Extract<Message, { kind: 'request' }>; agent: Agent },
  ) => Promise<void>
  /** Tells each that its lists may have changed; of servers that are no more nothing is heard. */
  remitChanged: () => void
  /** Ends all of them. */
  close: () => void
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

/** A message as one of the subscription that `id` began. */
const taggedWith =
  (id: string | number) =>
  (told: JsonObject): string => {
    const params = isObject(told.params) ? told.params : {}
    const meta = isObject(params._meta) ? params._meta : {}
    return JSON.stringify({ ...told, params: { ...params, _meta: { ...meta, [META.subscriptionId]: id } } })
  }

const acknowledged = ({ tools, prompts, resources, uris }: Wanted): JsonObject => ({
  jsonrpc: '2.0',
  method: 'notifications/subscriptions/acknowledged',
  params: {
    notifications: {
      ...(tools ? { toolsListChanged: true } : {}),
      ...(prompts ? { promptsListChanged: true } : {}),
      ...(resources ? { resourcesListChanged: true } : {}),
      ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
    },
  },
})

interface Subscription {
  server: RemitServer
  tell: (message: JsonObject) => void
  end: () => void
}

export const createSubscriptions = (gate: GateContext): Subscriptions => {
  const open = new Set<Subscription>()

  const keep = (response: ServerResponse, subscription: Subscription) => {
    open.add(subscription)
    const keepalive = setInterval(() => response.write(': open\n\n'), KEEPALIVE_MS)
    response.once('close', () => {
      clearInterval(keepalive)
      open.delete(subscription)
    })
  }

  return {
    close: () => {
      for (const { end } of open) end()
    },
    remitChanged: () => {
      for (const { server, tell, end } of open)
        if (isStillDeclared(gate, server)) for (const message of LISTS_CHANGED) tell(message)
        else end()
    },
    subscribe: async (response, { inForce, server, message, agent }) => {
      const { id } = message
      const asked = honoured(inForce, server.name, message.params?.notifications)
      const wanted = { ...asked, uris: await followable(gate, { inForce, server, agent }, asked.uris) }
      if (response.destroyed) return
      const tagged = taggedWith(id)
      const write = (told: JsonObject) => writeEvent(response, tagged(told), unreadBytes(gate.limits))
      const tell = (told: JsonObject) => {
        if (LISTS.some((list) => wanted[list] && told.method === changed(list))) write(told)
      }
      const onNotification = (told: ServerMessage) => {
        const scene: RequestScene = { inForce: gate.authority.current() ?? inForce, server, agent }
        const passed = serverNotification(gate, scene, told)
        if (passed === undefined) return
        const notification = JSON.parse(passed) as JsonObject
        const { method, params } = notification
        const isFollowed =
          method === 'notifications/resources/updated' && isObject(params) && wanted.uris.includes(String(params.uri))
        if (isFollowed) write(notification)
        else tell(notification)
      }
      const controller = new AbortController()
      const { signal } = controller
      const over = () => controller.abort(new UpstreamFailure('cancelled', 'nobody listens any more', true))
      response.once('close', over)
      response.writeHead(200, SSE_HEADERS)
      write(acknowledged(wanted))
      const end = () => {
        const result = { resultType: 'complete', _meta: { [META.subscriptionId]: id } }
        response.end(sseEvent(JSON.stringify({ jsonrpc: '2.0', id, result })))
        over()
      }
      keep(response, { server, tell, end })
      if (!isStillDeclared(gate, server)) end()
      while (!signal.aborted) {
        const { prepared } = gate.authority.current() ?? inForce
        // For an agent that may do nothing nothing is asked of a server.
        if (fallen(prepared, gate.now()) !== undefined) {
          await pause(REOPEN_MS, signal)
          continue
        }
        const uris = wanted.uris.filter((uri) => offered(prepared, 'resource', server.name, uri))
        const refuse: ServerOptions['onRequest'] = async () => ({
          error: { code: RPC.methodNotFound, message: 'A subscription answers nothing.' },
        })
        const upstream = await gate.ports
          .forAgent(server, agent)
          .listen({ ...wanted, uris }, { signal, onNotification, onRequest: refuse })
          .catch(wayFailure)
        if (upstream !== undefined && !(upstream instanceof Error)) await upstream.ended
        else if (upstream === undefined) return
        await pause(REOPEN_MS, signal)
      }
    },
  }
}
