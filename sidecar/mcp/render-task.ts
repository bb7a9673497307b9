import { RPC, TASKS_EXTENSION } from '../../lib/api/mcp.ts'
import { isObject, isRequestId, type JsonObject } from '../../lib/core/json-rpc.ts'
import { UpstreamFailure } from '../upstream.ts'
import type { ServerMessage } from './answer.ts'
import { answerOf, asLegacy, refusalOf } from './render.ts'

/** What both revisions say of a task in the same words. */
const SAME = ['taskId', 'statusMessage', 'createdAt', 'lastUpdatedAt']
const same = (task: JsonObject): JsonObject =>
  Object.fromEntries(SAME.filter((name) => task[name] !== undefined).map((name) => [name, task[name]!]))

const OVER = new Set(['completed', 'failed', 'cancelled'])
export const isTaskOver = ({ status }: JsonObject): boolean => OVER.has(String(status))

/**
 * A task of 2026-07-28 as one of 2025-11-25: without what it came to or asks for, which is fetched there; a call whose
 * tool says it failed is a task that failed.
 */
export const asOlderTask = (task: JsonObject): JsonObject => {
  const { status, ttlMs, pollIntervalMs, result } = task
  const isFailedCall = status === 'completed' && isObject(result) && result.isError === true
  return {
    ...same(task),
    status: isFailedCall ? 'failed' : (status ?? 'working'),
    ttl: ttlMs ?? null,
    ...(pollIntervalMs === undefined ? {} : { pollInterval: pollIntervalMs }),
  }
}

/** Whether an error says that a request is only for who has the extension. */
const wantsExtension = ({ code, data }: JsonObject): boolean => {
  const wanted =
    isObject(data) && isObject(data.requiredCapabilities) ? data.requiredCapabilities.extensions : undefined
  return code === RPC.missingCapability && isObject(wanted) && isObject(wanted[TASKS_EXTENSION])
}

/** A modern server's answer to a call of an agent of an older revision, `asTask` where it wants one. */
export const asOlderCall = (answer: ServerMessage, asTask: boolean): ServerMessage => {
  const { result, error } = answer.message
  const id = isRequestId(answer.message.id) ? answer.message.id : ''
  if (isObject(error) && wantsExtension(error))
    return refusalOf(id, RPC.invalidRequest, 'This tool has to be called as a task.')
  if (!isObject(result) || result.resultType !== 'task') return asLegacy('tools/call', answer)
  if (!asTask) throw new UpstreamFailure('invalid', 'it is a task nobody asked for', true)
  const meta: JsonObject = isObject(result._meta) ? { _meta: result._meta } : {}
  return answerOf(id, { result: { task: asOlderTask(result), ...meta } })
}

/** A task of 2025-11-25 as one of 2026-07-28, with what it came to where that is known. */
export const asNewerTask = (task: JsonObject, came?: { result: JsonObject } | { error: JsonObject }): JsonObject => {
  const { status, ttl, pollInterval } = task
  // A call whose tool says it failed has completed there.
  const now = came === undefined ? status : 'result' in came ? 'completed' : 'failed'
  return {
    ...same(task),
    status: now ?? 'working',
    ttlMs: ttl ?? null,
    ...(pollInterval === undefined ? {} : { pollIntervalMs: pollInterval }),
    ...came,
  }
}
