import { type RequestId, RPC } from '../../lib/api/mcp.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Json } from '../../lib/core/strict.ts'

/** What a request comes to. */
export type Answer = { result: JsonObject } | { error: JsonObject }

/** An error message; `id` null when the request's own is not known. */
export const rpcError = (id: RequestId | null, code: number, message: string, data?: Json): JsonObject => ({
  jsonrpc: '2.0',
  id,
  error: { code, message, ...(data === undefined ? {} : { data }) },
})

/** What a call came to that no server answered. `effect`: whether the server may have acted on it. */
export const lostCall = (id: RequestId, detail: string, effect: 'none' | 'unknown'): JsonObject =>
  rpcError(
    id,
    RPC.internal,
    effect === 'none'
      ? `${detail}; the server was not given this call, so it had no effect.`
      : `${detail}; the server was given this call, so it may have taken effect. Look before you repeat it.`,
    { effect },
  )
