import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { inMember } from '../../lib/core/json-text.ts'
import { newerMembers, olderTool } from '../../lib/core/older.ts'

const resultOf = (text: string): JsonObject => {
  const { result } = JSON.parse(text) as JsonObject
  return isObject(result) ? result : {}
}

/** An answer of a server of 2026-07-28 as a client with a session can read it; letter by letter where it can already. */
export const asOlder = (method: string, text: string): string => {
  if (method === 'tools/call' && text.includes('"structuredContent"')) {
    const drop = newerMembers(method, resultOf(text))
    return drop.length === 0 ? text : inMember(text, 'result', { drop })
  }
  if (method === 'tools/list' && text.includes('"outputSchema"')) {
    const { tools } = resultOf(text)
    if (!Array.isArray(tools)) return text
    const read = tools.map((tool) => (isObject(tool) ? olderTool(tool) : tool))
    return read.every((tool, index) => tool === tools[index])
      ? text
      : inMember(text, 'result', { set: { tools: read } })
  }
  return text
}
