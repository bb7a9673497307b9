import type { RequestId } from '../../lib/api/mcp.ts'
import { aliasOf } from '../../lib/core/alias.ts'
import { describe, type ErrorCode, type ErrorValues } from '../../lib/core/errors.ts'
import { isObject, isRequestId, type JsonObject, MAX_ID } from '../../lib/core/json-rpc.ts'
import type { Json } from '../../lib/core/strict.ts'

/** A JSON-RPC 2.0 message of the agent. */
export type Message =
  | { kind: 'response'; id: RequestId; answered: { result: JsonObject } | { error: { code: number; message: string } } }
  | { kind: 'request'; id: RequestId; method: string; params?: JsonObject }
  | { kind: 'notification'; method: string; params?: JsonObject }

export const META_RECEIPT = 'dev.remit/receipt'
export const META_EFFECT = 'dev.remit/effect'
const META_CODE = 'dev.remit/code'
export const META_TASK = 'dev.remit/task'
export const META_REASON = 'dev.remit/reason'

/** Every field that the gate or a server reads of what an agent may send: of the message, and of its params. */
const MESSAGE_FIELDS = ['jsonrpc', 'id', 'method', 'params', 'result', 'error']
const PARAMS_FIELDS = (
  '_meta name arguments task cursor level requestId reason progressToken progress total message ' +
  'protocolVersion capabilities clientInfo uri ref argument context taskId inputResponses requestState notifications'
).split(' ')

/** A field that a server which ignores case would take for one of these: it would read another message than the gate. */
const strayField = (object: JsonObject, fields: string[]): string | undefined => {
  const names = Object.keys(object)
  return fields.find((field) => aliasOf(field, names) !== undefined)
}

const responseIn = ({ id, method, result, error }: JsonObject): Message | undefined => {
  if (method !== undefined || !isRequestId(id) || (result === undefined) === (error === undefined)) return undefined
  if (isObject(result)) return { kind: 'response', id, answered: { result } }
  if (!isObject(error) || !Number.isSafeInteger(error.code) || typeof error.message !== 'string') return undefined
  return { kind: 'response', id, answered: { error: { code: error.code as number, message: error.message } } }
}

/** Reads one message of an agent, or says in a phrase what the protocol does not allow about it. */
export const classify = (value: Json): Message | string => {
  if (Array.isArray(value)) return 'batches are not part of this protocol version'
  if (!isObject(value)) return 'a message is an object'
  const stray = strayField(value, MESSAGE_FIELDS) ?? (isObject(value.params) && strayField(value.params, PARAMS_FIELDS))
  if (stray) return `${stray} must be spelled like this`
  if (value.jsonrpc !== '2.0') return 'jsonrpc must be "2.0"'
  if ('result' in value || 'error' in value) return responseIn(value) ?? 'nothing was asked that this could answer'
  if (typeof value.method !== 'string') return 'method must be a string'
  const given = value.params
  if (given !== undefined && !isObject(given)) return 'params must be an object'
  if (given?._meta !== undefined && !isObject(given._meta)) return 'params._meta must be an object'
  const params = given ? { params: given } : {}
  if (!('id' in value)) return { kind: 'notification', method: value.method, ...params }
  if (!isRequestId(value.id)) return `id must be a string of at most ${MAX_ID} characters or a whole number`
  return { kind: 'request', id: value.id, method: value.method, ...params }
}

/** A JSON-RPC error with the catalog's sentence; `data.code` is the catalog's code. */
export const rpcError = (
  id: RequestId | null,
  rpcCode: number,
  code: ErrorCode,
  values: ErrorValues = {},
): JsonObject => ({
  jsonrpc: '2.0',
  id,
  error: { code: rpcCode, message: describe(code, values).message, data: { code } },
})

/** The answer to a tool call that was not made or did not work: a sentence for the model, a receipt for people. */
export const toolError = (
  id: RequestId,
  told: { code: string; message: string; receipt?: string | undefined },
): JsonObject => ({
  jsonrpc: '2.0',
  id,
  result: {
    content: [{ type: 'text', text: told.message }],
    isError: true,
    _meta: { [META_CODE]: told.code, ...(told.receipt ? { [META_RECEIPT]: told.receipt } : {}) },
  },
})

/** The answer to any other request that was decided: the protocol's own error, with the catalog's code and a receipt. */
export const requestError =
  (rpcCode: number) =>
  (id: RequestId, { code, message, receipt }: Parameters<typeof toolError>[1]): JsonObject => ({
    jsonrpc: '2.0',
    id,
    error: { code: rpcCode, message, data: { code, ...(receipt ? { receipt } : {}) } },
  })
