import type { ToolDefinition } from '../../lib/api/gen/types.ts'
import { UserError } from '../../lib/core/errors.ts'
import { isObject } from '../../lib/core/json-rpc.ts'
import { parseStrict } from '../../lib/core/strict.ts'

/** Tools as their servers declare them, by server. */
export type Tools = Record<string, ToolDefinition[]>

/**
 * The tools of a file with a `tools/list` result, or a bare list of tools, for each server by name.
 * @throws UserError BadUsage
 */
export const readTools = (bytes: Uint8Array, source: string): Tools => {
  const wrong = (detail: string) => new UserError('BadUsage', { detail: `${source} ${detail}` })
  const parsed = parseStrict(bytes)
  if (!parsed.ok) throw wrong(`cannot be read as JSON: ${parsed.detail}`)
  if (!isObject(parsed.value)) throw wrong('is not an object such as {"billing": {"tools": [...]}}')
  const entries = Object.entries(parsed.value).map(([server, listed]): [string, ToolDefinition[]] => {
    const tools = isObject(listed) ? listed.tools : listed
    if (!Array.isArray(tools))
      throw wrong(`has no list of tools for ${JSON.stringify(server)}; write {"${server}": {"tools": [...]}}`)
    for (const [index, tool] of tools.entries())
      if (!isObject(tool) || typeof tool.name !== 'string')
        throw wrong(`has a tool without a name: ${JSON.stringify(server)}, number ${index + 1}`)
    return [server, tools as ToolDefinition[]]
  })
  return Object.fromEntries(entries)
}

/**
 * The definition by which a call is checked: that of the file; none when its server is in the file without it. Of a
 * server that is not in the file, tools are taken to be as they were pinned.
 */
export const definitionOf = (
  tools: Tools | undefined,
  server: string,
  tool: string,
): ToolDefinition | 'pinned' | undefined => {
  if (tools === undefined || !Object.hasOwn(tools, server)) return 'pinned'
  return tools[server]?.find(({ name }) => name === tool)
}
