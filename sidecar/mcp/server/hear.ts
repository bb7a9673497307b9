import { type RequestId, RPC } from '../../../lib/api/mcp.ts'
import { isObject, isRequestId, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import type { Answered, ServerOptions } from '../ports.ts'
import { type Place, tell } from './tell.ts'

/** Requests of one server stream that are being answered at a time; a server that sends more gets no answer to them. */
const MAX_ANSWERING = 16

/** Hands a session's server's messages on: what it tells, and what it asks, whose answers are sent to it. */
export const hear = (
  gate: Outside,
  place: Place,
  options: Pick<ServerOptions, 'signal' | 'onNotification' | 'onRequest'>,
) => {
  const { server } = place
  /** What is being answered, to be given up. */
  const answering = new Map<RequestId, AbortController>()
  const answer = async (id: RequestId, method: string, params: JsonObject, unwanted: AbortSignal): Promise<void> => {
    const signal = AbortSignal.any([options.signal, unwanted])
    const answered: Answered =
      method === 'ping'
        ? { result: {} }
        : await options.onRequest({ method, params }, signal).catch((error: unknown) => {
            if (!(error instanceof UpstreamFailure)) throw error
            return { error: { code: RPC.internal, message: 'The client did not answer.' } }
          })
    if (!unwanted.aborted) await tell(gate, place, { jsonrpc: '2.0', id, ...answered })
  }
  return {
    /** Whether the server waits for an answer rather than being waited for. */
    isAsking: () => answering.size > 0,
    onMessage: (message: ServerMessage): void => {
      const { id, method, params } = message.message
      if (id === undefined) {
        const unwanted = method === 'notifications/cancelled' && isObject(params) ? params.requestId : undefined
        if (isRequestId(unwanted))
          answering.get(unwanted)?.abort(new UpstreamFailure('cancelled', 'the server wants no answer any more', true))
        options.onNotification(message)
        return
      }
      if ('result' in message.message || 'error' in message.message) return
      if (answering.size >= MAX_ANSWERING || !isRequestId(id) || answering.has(id)) return
      const controller = new AbortController()
      answering.set(id, controller)
      answer(id, String(method), (params ?? {}) as JsonObject, controller.signal)
        .catch((error: unknown) =>
          gate.log.debug({ err: error, server: server.name }, 'a server could not be answered'),
        )
        .finally(() => answering.delete(id))
    },
  }
}
