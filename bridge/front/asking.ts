import { randomUUID } from 'node:crypto'
import { ASKABLE, type RequestId, RPC } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Reply } from '../http/reply.ts'
import type { Answer } from '../json/rpc.ts'

/** Of a client that answers nothing the oldest are forgotten. */
const MAX_ASKED = 1_000

/** Asks the client of a session what its server wants to know, which it says by `input_required`. */
export interface Asking {
  /** Sends each request, on the stream of the call where that goes; the answers by the same keys, or all errors. */
  ask: (requests: JsonObject, reply: Reply) => Promise<{ inputs: JsonObject } | { errors: JsonObject[] }>
  /** An answer of the client; false when nothing was asked that it could answer. */
  answer: (id: RequestId, answer: Answer) => boolean
}

/** `send`: for what cannot go on the stream of the call. */
export const createAsking = (capabilities: JsonObject, send: (text: string) => void): Asking => {
  const asked = new Map<RequestId, (answer: Answer) => void>()
  let next = 1
  const one = (request: unknown, reply: Reply): Promise<Answer> => {
    const method = isObject(request) ? String(request.method) : ''
    const params = isObject(request) && isObject(request.params) ? request.params : undefined
    const capability = ASKABLE[method]
    if (capability === undefined || !isObject(capabilities[capability]))
      return Promise.resolve({
        error: { code: RPC.methodNotFound, message: 'The client did not say that it can be asked this.' },
      })
    // Until 2025-11-25 a request to open a URL had a name; afterwards it has none.
    const named = params?.mode === 'url' ? { elicitationId: randomUUID(), ...params } : params
    const id = `bridge-${next++}`
    return new Promise((resolve) => {
      asked.set(id, resolve)
      if (asked.size > MAX_ASKED) asked.delete(asked.keys().next().value!)
      const text = JSON.stringify({ jsonrpc: '2.0', id, method, ...(named ? { params: named } : {}) })
      if (!reply.notify(text)) send(text)
    })
  }
  return {
    ask: async (requests, reply) => {
      const answers = await Promise.all(
        Object.entries(requests).map(async ([key, request]) => ({ key, answer: await one(request, reply) })),
      )
      const errors = answers.flatMap(({ answer }) => ('error' in answer ? [answer.error] : []))
      return errors.length > 0
        ? { errors }
        : {
            inputs: Object.fromEntries(
              answers.map(({ key, answer }) => [key, (answer as { result: JsonObject }).result]),
            ),
          }
    },
    answer: (id, answer) => {
      const waiting = asked.get(id)
      if (!waiting) return false
      asked.delete(id)
      waiting(answer)
      return true
    },
  }
}
