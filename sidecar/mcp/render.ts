import { CACHEABLE, MAY_ASK, META, type RequestId, RPC } from '../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { type Edit, inMember, withMembers } from '../../lib/core/json-text.ts'
import { newerMembers, olderTool } from '../../lib/core/older.ts'
import { UpstreamFailure } from '../upstream.ts'
import type { ServerMessage } from './answer.ts'
import type { Agent } from './ports.ts'

/** Longest an agent may rely on what it was told: a new remit can change it at any moment. */
const MAX_TTL_MS = 5_000

/** What a result says of keeping it: never for others, and never for long, because it is this agent's remit's. */
const cacheHints = ({ ttlMs }: JsonObject): JsonObject => ({
  ttlMs: typeof ttlMs === 'number' && ttlMs > 0 ? Math.min(Math.floor(ttlMs), MAX_TTL_MS) : 0,
  cacheScope: 'private',
})

/** An answer with its result or error edited, and nothing else of what the server wrote changed. */
const edited = (answer: ServerMessage, name: 'result' | 'error', edit: Edit): ServerMessage => {
  const { set, add, drop = [] } = edit
  const object = { ...add, ...(answer.message[name] as JsonObject), ...set } as JsonObject
  for (const key of drop) delete object[key]
  return { message: { ...answer.message, [name]: object }, raw: inMember(answer.raw, name, edit) }
}

/** A server's answer for an agent of the modern revision, or UpstreamFailure when it can be none; `info`: how a server names itself that says so only once. */
export const asModern = (method: string, answer: ServerMessage, info?: unknown): ServerMessage => {
  const { result, error } = answer.message
  if (isObject(error) && error.code === RPC.resourceNotFound)
    return edited(answer, 'error', { set: { code: RPC.invalidParams } })
  if (!isObject(result)) return answer
  if (result.resultType === 'input_required' && !MAY_ASK.has(method))
    throw new UpstreamFailure('invalid', 'the server asks for input where it may not', true)
  const complete = result.resultType === undefined || result.resultType === 'complete'
  const hints = CACHEABLE.has(method) && complete ? cacheHints(result) : undefined
  const meta = isObject(result._meta) ? result._meta : {}
  const named = isObject(info) && meta[META.serverInfo] === undefined
  if (result.resultType !== undefined && !hints && !named) return answer
  return edited(answer, 'result', {
    add: { resultType: 'complete' },
    set: { ...(named ? { _meta: { ...meta, [META.serverInfo]: info } } : {}), ...hints },
  })
}

/**
 * A tool as a client of the older revisions can read it: forms of results are objects there, and of each tool it says
 * whether calls of it may become tasks, which a modern server decides call by call.
 */
export const asLegacyTool = (tool: JsonObject, { session }: Pick<Agent, 'session'>): JsonObject =>
  olderTool(session?.session.tasks ? { ...tool, execution: { taskSupport: 'optional' } } : tool)

/** A modern server's answer for an agent of an older revision. */
export const asLegacy = (method: string, answer: ServerMessage): ServerMessage => {
  const { result } = answer.message
  if (!isObject(result)) return answer
  return edited(answer, 'result', {
    drop: ['resultType', ...(CACHEABLE.has(method) ? ['ttlMs', 'cacheScope'] : []), ...newerMembers(method, result)],
  })
}

/** An answer of the gate's own making. */
export const answerOf = (id: RequestId, body: { result: JsonObject } | { error: JsonObject }): ServerMessage => {
  const message: JsonObject = { jsonrpc: '2.0', id, ...body }
  return { message, raw: JSON.stringify(message) }
}
export const refusalOf = (id: RequestId, code: number, message: string): ServerMessage =>
  answerOf(id, { error: { code, message } })

/** An answer under another id. */
export const underId = (answer: ServerMessage, id: string | number): ServerMessage =>
  answer.message.id === id
    ? answer
    : { message: { ...answer.message, id }, raw: withMembers(answer.raw, { set: { id } }) }
