import { CACHEABLE, META, RPC } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { inMember } from '../../lib/core/json-text.ts'
import type { Incoming } from '../child/peer.ts'

const PER_REQUEST: string[] = [META.protocolVersion, META.clientInfo, META.clientCapabilities, META.logLevel]
/** Codes of earlier revisions, and what stands for them in 2026-07-28. */
const CODES: Record<number, number> = {
  [RPC.resourceNotFound]: RPC.invalidParams,
  [RPC.urlElicitationRequired]: RPC.internal,
}

/** `params` as they were before 2026-07-28. */
export const olderParams = (params: JsonObject): JsonObject => {
  const { inputResponses: _inputs, requestState: _state, _meta, ...rest } = params
  const kept = Object.entries(isObject(_meta) ? _meta : {}).filter(([key]) => !PER_REQUEST.includes(key))
  return { ...rest, ...(kept.length > 0 ? { _meta: Object.fromEntries(kept) } : {}) }
}

/** An answer of a server of before 2026-07-28 as one of it, and its error code. */
export const newerAnswer = (method: string, { message, raw }: Incoming): [string, number?] => {
  if (!isObject(message.error))
    return [
      inMember(raw, 'result', {
        add: {
          resultType: 'complete',
          // A server of before does not say for how long its results hold: so, not at all.
          ...(CACHEABLE.has(method) ? { ttlMs: 0, cacheScope: 'private' } : {}),
        },
      }),
    ]
  const code = Number(message.error.code)
  const other = CODES[code]
  return other === undefined
    ? [raw, code]
    : [JSON.stringify({ ...message, error: { ...message.error, code: other } }), other]
}
