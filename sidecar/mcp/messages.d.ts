import type { ErrorCode } from '../../lib/core/errors.ts'
import { type ErrorValues } from '../../lib/core/errors.ts'
import type { Json } from '../../lib/core/strict.ts'
export type RequestId = string | number
export type JsonObject = {
  [key: string]: Json
}
/** A JSON-RPC 2.0 message of the agent; `raw` has every field it came with. */
export type Message =
  | {
      kind: 'request'
      id: RequestId
      method: string
      params?: JsonObject
      raw: JsonObject
    }
  | {
      kind: 'notification'
      method: string
      params?: JsonObject
      raw: JsonObject
    }
/** The revisions of the protocol that pass, newest first. */
export declare const PROTOCOL_VERSIONS: readonly ['2025-11-25', '2025-06-18']
export declare const isSupportedVersion: (version: unknown) => boolean
/** What an agent may send. Everything else is refused, because no policy could decide it. */
export declare const AGENT_REQUESTS: Set<string>
export declare const AGENT_NOTIFICATIONS: Set<string>
/** What a server may send of its own accord. */
export declare const SERVER_NOTIFICATIONS: Set<string>
/** Of an `initialize` result: what an agent may then use. */
export declare const SERVER_CAPABILITIES: readonly ['tools', 'logging']
export declare const META_RECEIPT = 'dev.remit/receipt'
export declare const META_CODE = 'dev.remit/code'
export declare const META_TASK = 'dev.remit/task'
export declare const META_REASON = 'dev.remit/reason'
export declare const isObject: (value: unknown) => value is JsonObject
export declare const isRequestId: (value: unknown) => value is RequestId
/** Reads one message of an agent, or says in a phrase what the protocol does not allow about it. */
export declare const classify: (value: Json) => Message | string
/** JSON-RPC error codes: the standard ones, and the two the official SDKs use for transport and session. */
export declare const RPC: {
  readonly parse: -32700
  readonly invalidRequest: -32600
  readonly methodNotFound: -32601
  readonly invalidParams: -32602
  readonly internal: -32603
  readonly transport: -32000
  readonly session: -32001
}
/** A JSON-RPC error with the catalog's sentence; `data.code` is the catalog's code. */
export declare const rpcError: (
  id: RequestId | null,
  rpcCode: number,
  code: ErrorCode,
  values?: ErrorValues,
) => JsonObject
/** The answer to a tool call that was not made or did not work: a sentence for the model, a receipt for people. */
export declare const toolError: (
  id: RequestId,
  told: {
    code: string
    message: string
    receipt?: string | undefined
  },
) => JsonObject
