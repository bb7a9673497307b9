import type { RequestId } from '../api/mcp.ts'
import type { Json } from './strict.ts'

export type JsonObject = { [key: string]: Json }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Characters; an id is kept until its request is answered, and in traces: a long one, many times, would be memory. */
export const MAX_ID = 256

export const isRequestId = (value: unknown): value is RequestId =>
  (typeof value === 'string' && value.length <= MAX_ID) || (typeof value === 'number' && Number.isSafeInteger(value))
