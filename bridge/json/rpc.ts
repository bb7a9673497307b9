import type { Json } from '../../lib/core/strict.ts'

export type JsonObject = { [key: string]: Json }
export type RequestId = string | number

/** JSON-RPC error codes: the standard ones, those of MCP, and the two the official SDKs use for transport and session. */
export const RPC = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  transport: -32000,
  session: -32001,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const

export const MODERN = '2026-07-28'
/** Revisions with sessions, newest first. */
export const LEGACY = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  subscription: 'io.modelcontextprotocol/subscriptionId',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
} as const

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const MAX_ID = 256
export const isRequestId = (value: unknown): value is RequestId =>
  (typeof value === 'string' && value.length <= MAX_ID) || (typeof value === 'number' && Number.isSafeInteger(value))

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
