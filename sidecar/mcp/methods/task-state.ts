import { META } from '../../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'

/** What a task says of itself, in either revision; `statusMessage` is the server's own words. */
const FIELDS = 'taskId status createdAt lastUpdatedAt ttl ttlMs pollInterval pollIntervalMs'.split(' ')
/** A task without what it came to: that is decided and recorded where it is fetched. */
export const taskState = (task: JsonObject, isWithheld: boolean): JsonObject => {
  const { statusMessage, resultType, _meta } = task
  const info = isObject(_meta) ? _meta[META.serverInfo] : undefined
  return {
    ...(typeof resultType === 'string' ? { resultType } : {}),
    ...Object.fromEntries(FIELDS.filter((name) => Object.hasOwn(task, name)).map((name) => [name, task[name]!])),
    ...(typeof statusMessage === 'string' && !isWithheld ? { statusMessage } : {}),
    ...(isObject(info) ? { _meta: { [META.serverInfo]: info } } : {}),
  }
}
