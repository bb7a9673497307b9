import { isObject, type JsonObject } from './json-rpc.ts'

/** A tool as clients of before 2026-07-28 can read it, whose forms of results are objects; the same where it is one. */
export const olderTool = (tool: JsonObject): JsonObject => {
  if (!isObject(tool.outputSchema) || tool.outputSchema.type === 'object') return tool
  const { outputSchema: _, ...rest } = tool
  return rest
}

/** The members of a result that clients of before 2026-07-28 cannot read. */
export const newerMembers = (method: string, { structuredContent }: JsonObject): string[] =>
  method === 'tools/call' && structuredContent !== undefined && !isObject(structuredContent)
    ? ['structuredContent']
    : []
