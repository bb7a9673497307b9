import { META, MODERN_VERSION, RPC } from '../api/mcp.ts'
import { isObject, type JsonObject } from './json-rpc.ts'

/** Longest it may take to find out which era a server speaks: there are clients that wait no more than 5 s for all of `initialize`. */
export const PROBE_MS = 3_000

/** What a client of 2026-07-28 without capabilities says of itself with each request. */
export const introduction = (clientInfo: JsonObject): JsonObject => ({
  [META.protocolVersion]: MODERN_VERSION,
  [META.clientInfo]: clientInfo,
  [META.clientCapabilities]: {},
})

/** The question whose answer tells a server's era. */
export const discovery = (clientInfo: JsonObject) => ({
  method: 'server/discover',
  params: { _meta: introduction(clientInfo) } as JsonObject,
})

const listsOurs = (versions: unknown): boolean => Array.isArray(versions) && versions.includes(MODERN_VERSION)

/** Whether an error is one that only a server of the modern revision sends, and that it can be spoken with. */
export const isModernError = (error: unknown): boolean => {
  if (!isObject(error)) return false
  if (error.code === RPC.unsupportedVersion) return isObject(error.data) && listsOurs(error.data.supported)
  return error.code === RPC.headerMismatch || error.code === RPC.missingCapability
}

/** Whether this answer to `discovery` is a server's that 2026-07-28 can be spoken with; of a refused one the error alone tells. */
export const isModernAnswer = ({ result, error }: JsonObject): boolean =>
  (isObject(result) && listsOurs(result.supportedVersions)) || isModernError(error)
