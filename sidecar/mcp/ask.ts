import { RPC } from '../../lib/api/mcp.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { ServerMessage } from './answer.ts'
import { within } from './forward.ts'
import type { ServerPort } from './ports.ts'
import { ownId } from './server/own-id.ts'

/** Longest one request of the gate's own may take, and what it may answer. */
export const ASK_MS = 10_000
const ASK_BYTES = 4 * 1024 * 1024

/** A request of the gate's own to a server; what the server sends besides the answer goes to nobody. */
export interface Question {
  port: ServerPort
  method: string
  params: JsonObject
  signal: AbortSignal
  traceparent?: string | undefined
}

/** Resolves with the answer, an error of JSON-RPC included. Rejects as `ServerPort.request` does. */
export const ask = async ({ port, method, params, signal, traceparent }: Question): Promise<ServerMessage> => {
  const limit = within(ASK_MS, signal)
  try {
    return await port.request(
      { id: ownId(), method, params },
      {
        signal: limit.signal,
        traceparent,
        maxBytes: ASK_BYTES,
        onNotification: () => {},
        onRequest: async () => ({ error: { code: RPC.methodNotFound, message: 'The gate itself answers nothing.' } }),
      },
    )
  } finally {
    limit.done()
  }
}
