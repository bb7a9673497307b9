import { META } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Child } from '../child/child.ts'
import type { Incoming, Peer } from '../child/peer.ts'
import { refuseRequest } from '../child/peer.ts'
import type { Backend, BackendSink } from './backend.ts'
import { wanting } from './wanting.ts'

interface Served {
  calls: Map<number, { sink: BackendSink; logLevel: string | undefined }>
  listeners: Map<number, (message: JsonObject) => void>
}

const metaOf = (message: JsonObject): JsonObject => {
  const params = isObject(message.params) ? message.params : {}
  return isObject(params._meta) ? params._meta : {}
}

/** A server of 2026-07-28: what it is sent and says passes as it is; only ids are exchanged. */
export const createModernBackend = (prime: () => Promise<Child>): Backend => {
  const known = new WeakMap<Peer, Served>()

  const onNotification = (served: Served, { message }: Incoming) => {
    const subscription = metaOf(message)[META.subscriptionId]
    if (subscription !== undefined) {
      served.listeners.get(Number(subscription))?.(message)
      return
    }
    if (message.method !== 'notifications/message') return
    const level = isObject(message.params) ? message.params.level : undefined
    const calls = wanting(served.calls.values(), level)
    if (calls.length === 1) calls[0]!.sink.onNotification(message)
  }
  const servedBy = (peer: Peer): Served => {
    const before = known.get(peer)
    if (before) return before
    const served: Served = { calls: new Map(), listeners: new Map() }
    known.set(peer, served)
    peer.listen({
      onRequest: (request) => refuseRequest(peer, request, 'A server of 2026-07-28 sends no requests.'),
      onNotification: (note) => onNotification(served, note),
    })
    return served
  }

  return {
    hello: async () => (await prime()).hello,
    call: async (request, sink) => {
      const { peer } = await prime()
      const served = servedBy(peer)
      const logLevel = metaOf({ params: request.params })[META.logLevel]
      const handle = peer.call(request, {
        onAnswer: ({ message, raw }) => {
          served.calls.delete(handle.id)
          sink.onAnswer(raw, isObject(message.error) ? Number(message.error.code) : undefined)
        },
        onProgress: sink.onNotification,
        onLost: (detail, effect) => {
          served.calls.delete(handle.id)
          sink.onLost(detail, effect)
        },
      })
      served.calls.set(handle.id, { sink, logLevel: typeof logLevel === 'string' ? logLevel : undefined })
      return {
        cancel: (reason) => {
          served.calls.delete(handle.id)
          handle.cancel(reason)
        },
      }
    },
    listen: async ({ params, filter }, sink) => {
      const { peer } = await prime()
      const served = servedBy(peer)
      return new Promise((resolve) => {
        const end = (graceful: boolean) => {
          served.listeners.delete(handle.id)
          // A server that cannot listen honors nothing.
          resolve({ honored: {}, close: () => {} })
          sink.onEnd(graceful)
        }
        const handle = peer.call(
          { method: 'subscriptions/listen', params: { ...params, notifications: { ...filter } } },
          { onAnswer: () => end(true), onLost: () => end(false) },
        )
        served.listeners.set(handle.id, (message) => {
          if (message.method !== 'notifications/subscriptions/acknowledged') {
            sink.onNotification(message)
            return
          }
          const given = isObject(message.params) ? message.params.notifications : undefined
          resolve({
            honored: isObject(given) ? given : {},
            close: () => {
              served.listeners.delete(handle.id)
              handle.cancel('nobody listens any more')
            },
          })
        })
      })
    },
  }
}
