import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'

const MAX_KEPT = 2_048
const MAX_NAME = 100

/** What of a client's capabilities a session can keep: that they are there, not whatever else is written in them. */
const brief = (value: JsonObject, depth = 0): JsonObject =>
  Object.fromEntries(
    Object.entries(value).flatMap(([name, member]): [string, JsonObject | boolean][] => {
      if (typeof member === 'boolean') return [[name, member]]
      return isObject(member) && depth < 4 ? [[name, brief(member, depth + 1)]] : []
    }),
  )
/** Of a client's capabilities what its session carries. */
export const capabilitiesKept = (capabilities: unknown): JsonObject => {
  const short = isObject(capabilities) ? brief(capabilities) : {}
  return JSON.stringify(short).length > MAX_KEPT ? {} : short
}

/** A client's name for itself as far as servers are told of it; undefined when it gives none. */
export const nameKept = (client: unknown): JsonObject | undefined =>
  isObject(client) && typeof client.name === 'string' && typeof client.version === 'string'
    ? { name: client.name.slice(0, MAX_NAME), version: client.version.slice(0, MAX_NAME) }
    : undefined
