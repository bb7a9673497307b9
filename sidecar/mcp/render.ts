import { UpstreamFailure } from '../upstream.ts'
import type { ServerMessage } from './answer.ts'
import { isObject, type JsonObject, RPC } from './messages.ts'
import { CACHEABLE, MAY_ASK, META } from './revision.ts'

/** Longest an agent may rely on what it was told: a new remit can change it at any moment. */
const MAX_TTL_MS = 5_000

/** What a result says of keeping it: never for others, and never for long, because it is this agent's remit's. */
const cacheHints = ({ ttlMs }: JsonObject): JsonObject => ({
  ttlMs: typeof ttlMs === 'number' && ttlMs > 0 ? Math.min(Math.floor(ttlMs), MAX_TTL_MS) : 0,
  cacheScope: 'private',
})

const rewritten = (answer: ServerMessage, change: JsonObject): ServerMessage => {
  const message = { ...answer.message, ...change }
  return { message, raw: JSON.stringify(message), came: answer.came ?? answer.raw }
}

/** The code for a resource that is not there, in the older revisions; the modern one has none of its own for it. */
const NO_RESOURCE = -32002

/** A server's answer for an agent of the modern revision, or UpstreamFailure when it can be none; `info`: how a server names itself that says so only once. */
export const asModern = (method: string, answer: ServerMessage, info?: unknown): ServerMessage => {
  const { result, error } = answer.message
  if (isObject(error) && error.code === NO_RESOURCE)
    return rewritten(answer, { error: { ...error, code: RPC.invalidParams } })
  if (!isObject(result)) return answer
  if (result.resultType === 'input_required' && !MAY_ASK.has(method))
    throw new UpstreamFailure('invalid', 'the server asks for input where it may not', true)
  const complete = result.resultType === undefined || result.resultType === 'complete'
  const hints = CACHEABLE.has(method) && complete ? cacheHints(result) : undefined
  const meta = isObject(result._meta) ? result._meta : {}
  const named = isObject(info) && meta[META.server] === undefined
  if (result.resultType !== undefined && !hints && !named) return answer
  return rewritten(answer, {
    result: {
      resultType: 'complete',
      ...result,
      ...(named ? { _meta: { ...meta, [META.server]: info } } : {}),
      ...hints,
    },
  })
}

/** A tool as clients of the older revisions can read it: forms of results are objects there. */
export const asLegacyTool = (tool: JsonObject): JsonObject => {
  if (!isObject(tool.outputSchema) || tool.outputSchema.type === 'object') return tool
  const { outputSchema: _, ...rest } = tool
  return rest
}

/** A modern server's answer for an agent of an older revision. */
export const asLegacy = (method: string, answer: ServerMessage): ServerMessage => {
  if (!isObject(answer.message.result)) return answer
  const { resultType: _type, ...result } = answer.message.result
  if (CACHEABLE.has(method)) {
    delete result.ttlMs
    delete result.cacheScope
  }
  if (method === 'tools/call' && result.structuredContent !== undefined && !isObject(result.structuredContent))
    delete result.structuredContent
  return rewritten(answer, { result })
}

/** An answer under another id. */
export const underId = (answer: ServerMessage, id: string | number): ServerMessage => {
  if (answer.message.id === id) return answer
  return rewritten(answer, { id })
}
