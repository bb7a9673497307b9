import type { IncomingMessage, ServerResponse } from 'node:http'
import { META, RPC } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { send } from '../../lib/service/http.ts'
import type { Backend } from '../backend/backend.ts'
import { readFilter } from '../backend/filter.ts'
import { takesStream } from '../http/read.ts'
import { openStream } from '../http/reply.ts'
import { rpcError } from '../json/rpc.ts'
import type { FrontContext } from './context.ts'
import type { ModernRequest } from './modern-request.ts'

/** The streams of `subscriptions/listen`. */
export const createSubscriptions = (limits: FrontContext['limits']) => {
  const streams = new Set<() => void>()

  const open = async (backend: Backend, message: ModernRequest, request: IncomingMessage, response: ServerResponse) => {
    const filter = readFilter(message.params.notifications)
    if (typeof filter === 'string') return send(response, 400, rpcError(message.id, RPC.invalidParams, filter))
    if (!takesStream(request, response)) return
    if (streams.size >= limits.sessions)
      return send(
        response,
        503,
        rpcError(message.id, RPC.internal, `At most ${limits.sessions} streams are kept open.`),
      )
    const stamp = (note: JsonObject): string => {
      const params = isObject(note.params) ? note.params : {}
      const meta = isObject(params._meta) ? params._meta : {}
      return JSON.stringify({ ...note, params: { ...params, _meta: { ...meta, [META.subscriptionId]: message.id } } })
    }
    let stream: ReturnType<typeof openStream> | undefined
    const early: JsonObject[] = []
    const end = () => {
      const _meta = { [META.subscriptionId]: message.id }
      stream?.write(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', _meta } }))
      stream?.end()
    }
    let ended: boolean | undefined
    const finish = (graceful: boolean) => (graceful ? end() : stream?.end())
    const listening = await backend.listen(
      { params: message.params, filter },
      {
        onNotification: (note) => (stream ? void stream.write(stamp(note)) : void early.push(note)),
        onEnd: (graceful) => {
          ended = graceful
          finish(graceful)
        },
      },
    )
    if (response.destroyed) return listening.close()
    stream = openStream(response, limits.heldBytes)
    streams.add(end)
    response.once('close', () => {
      streams.delete(end)
      listening.close()
    })
    const notifications = { ...listening.honored }
    stream.write(
      stamp({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications } }),
    )
    for (const note of early) stream.write(stamp(note))
    if (ended !== undefined) finish(ended)
  }

  return {
    open,
    /** Ends all of them, and says so. */
    close: () => {
      for (const end of streams) end()
    },
  }
}
