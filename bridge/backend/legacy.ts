import { ASKABLE, LOGGING_LEVELS, MAY_ASK, META, RPC } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Child } from '../child/child.ts'
import { type Peer, refuseRequest } from '../child/peer.ts'
import { rpcError } from '../json/rpc.ts'
import type { Lease, Pool } from '../pool.ts'
import type { Backend, BackendRequest, BackendSink } from './backend.ts'
import { createListeners, type Listeners } from './listeners.ts'
import { type Conversation, createParking, type Parking } from './parking.ts'
import { newerAnswer, olderParams } from './translate.ts'
import { wanting } from './wanting.ts'

interface Served {
  calls: Set<{ sink: BackendSink; logLevel: string | undefined }>
  listeners: Listeners
  level: number
}

/**
 * A server of before 2026-07-28. Calls of clients that can be asked get a process each while they run, so that what
 * the server asks is asked of the right one; `--shared` does without, and then nobody is asked.
 */
export const createLegacyBackend = (
  pool: Pick<Pool, 'prime' | 'lease'>,
  options: { shared: boolean; parkMs: number; maxParked: number },
): Backend & { parking: Parking } => {
  const known = new WeakMap<Peer, Served>()
  const parking = createParking(options)

  const servedBy = ({ peer, hello }: Child): Served => {
    const before = known.get(peer)
    if (before) return before
    const served: Served = { calls: new Set(), listeners: createListeners(peer, hello), level: LOGGING_LEVELS.length }
    known.set(peer, served)
    peer.listen({
      onRequest: (request) => refuseRequest(peer, request, 'No client that can be asked is served by this process.'),
      onNotification: ({ message }) => {
        if (message.method !== 'notifications/message') return served.listeners.tell(message)
        const level = isObject(message.params) ? message.params.level : undefined
        const calls = wanting(served.calls, level)
        if (calls.length === 1) calls[0]!.sink.onNotification(message)
      },
    })
    return served
  }
  const setLevel = ({ peer, hello }: Child, served: Served, wanted: string | undefined) => {
    const level = wanted === undefined ? -1 : LOGGING_LEVELS.indexOf(wanted)
    if (level < 0 || level >= served.level || !isObject(hello.capabilities.logging)) return
    served.level = level
    peer.call({ method: 'logging/setLevel', params: { level: wanted! } }, { onAnswer: () => {}, onLost: () => {} })
  }

  const plainCall = (child: Child, { method, params }: BackendRequest, sink: BackendSink) => {
    const served = servedBy(child)
    const meta = isObject(params._meta) ? params._meta : {}
    const level = meta[META.logLevel]
    const logLevel = typeof level === 'string' ? level : undefined
    setLevel(child, served, logLevel)
    const call = { sink, logLevel }
    served.calls.add(call)
    const handle = child.peer.call(
      { method, params: olderParams(params) },
      {
        onAnswer: (answer) => {
          served.calls.delete(call)
          sink.onAnswer(...newerAnswer(method, answer))
        },
        onProgress: sink.onNotification,
        onLost: (detail, effect) => {
          served.calls.delete(call)
          sink.onLost(detail, effect)
        },
      },
    )
    return {
      cancel: (reason: string) => {
        served.calls.delete(call)
        handle.cancel(reason)
      },
    }
  }

  const converse = (lease: Lease, request: BackendRequest, capabilities: JsonObject, sink: BackendSink) => {
    const { peer } = lease
    let over = false
    const end = () => {
      if (over) return
      over = true
      peer.listen({
        onRequest: (late) => refuseRequest(peer, late, 'No call is under way.'),
        onNotification: () => {},
      })
      lease.release()
    }
    const conversation: Conversation = parking.begin(request, {
      answer: peer.answer,
      giveUp: (reason) => {
        handle.cancel(reason)
        end()
      },
    })
    conversation.attach(sink)
    peer.listen({
      onRequest: (asked) => {
        const capability = ASKABLE[String(asked.message.method)]
        if (capability && MAY_ASK.has(request.method) && isObject(capabilities[capability])) conversation.ask(asked)
        else refuseRequest(peer, asked, 'The client did not say that it can be asked this.')
      },
      onNotification: ({ message }) => {
        if (message.method === 'notifications/message') conversation.tell((to) => to.onNotification(message))
      },
    })
    const handle = peer.call(
      { method: request.method, params: olderParams(request.params) },
      {
        onAnswer: (answer) => {
          end()
          conversation.finish((to) => to.onAnswer(...newerAnswer(request.method, answer)))
        },
        onProgress: (message) => conversation.tell((to) => to.onNotification(message)),
        onLost: (detail, effect) => {
          end()
          conversation.finish((to) => to.onLost(detail, effect))
        },
      },
    )
    return conversation
  }

  return {
    parking,
    hello: async () => (await pool.prime()).hello,
    call: async (request, sink) => {
      const { params } = request
      if (typeof params.requestState === 'string') {
        const conversation = parking.resume(params.requestState, request, sink)
        if (conversation) return conversation
        sink.onAnswer(
          JSON.stringify(rpcError(0, RPC.invalidParams, 'params.requestState is of no call that waits for input.')),
          RPC.invalidParams,
        )
        return { cancel: () => {} }
      }
      const meta = isObject(params._meta) ? params._meta : {}
      const given = meta[META.clientCapabilities]
      const declared: JsonObject = isObject(given) ? given : {}
      const asks = Object.values(ASKABLE).some((name) => isObject(declared[name]))
      if (options.shared || !asks) return plainCall(await pool.prime(), request, sink)
      const info = meta[META.clientInfo]
      const lease = await pool.lease({ capabilities: declared, clientInfo: isObject(info) ? info : undefined })
      return converse(lease, request, declared, sink)
    },
    listen: async ({ filter }, sink) => {
      const child = await pool.prime()
      return servedBy(child).listeners.add(filter, sink)
    },
  }
}
