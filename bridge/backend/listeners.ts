import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Hello } from '../child/handshake.ts'
import type { Peer } from '../child/peer.ts'
import type { Backend, Listening } from './backend.ts'
import { asksFor, type Filter, honoredOf } from './filter.ts'

type ListenSink = Parameters<Backend['listen']>[1]

/** Who listens to one server process of before 2026-07-28. */
export interface Listeners {
  add: (filter: Filter, sink: ListenSink) => Listening
  tell: (message: JsonObject) => void
}

const ignore = { onAnswer: () => {}, onLost: () => {} }

/** Subscribes to a resource with the first who wants to hear of it, and ends that with the last. */
export const createListeners = (peer: Peer, hello: Hello): Listeners => {
  const open = new Map<ListenSink, Filter>()
  const subscribed = new Map<string, number>()
  peer.whenEnded.then(() => {
    for (const sink of open.keys()) sink.onEnd(false)
    open.clear()
  })
  return {
    add: (filter, sink) => {
      const honored = honoredOf(filter, hello.capabilities)
      const uris = new Set(honored.resourceSubscriptions)
      for (const uri of uris) {
        const count = subscribed.get(uri) ?? 0
        subscribed.set(uri, count + 1)
        if (count === 0) peer.call({ method: 'resources/subscribe', params: { uri } }, ignore)
      }
      open.set(sink, honored)
      return {
        honored,
        close: () => {
          if (!open.delete(sink)) return
          for (const uri of uris) {
            const count = subscribed.get(uri)! - 1
            subscribed.set(uri, count)
            if (count > 0) continue
            subscribed.delete(uri)
            peer.call({ method: 'resources/unsubscribe', params: { uri } }, ignore)
          }
        },
      }
    },
    tell: (message) => {
      for (const [sink, filter] of open) if (asksFor(filter, message)) sink.onNotification(message)
    },
  }
}
