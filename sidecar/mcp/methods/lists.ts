import { setImmediate } from 'node:timers/promises'
import { META } from '../../../lib/api/mcp.ts'
import { aliasOf } from '../../../lib/core/alias.ts'
import { offered } from '../../../lib/core/decide-other.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { PreparedRemit } from '../../../lib/core/prepare.ts'
import { redactionsOf } from '../../../lib/core/redact.ts'
import type { Json } from '../../../lib/core/strict.ts'
import { visible } from '../../../lib/core/visible.ts'

/** What a list's items stand under, and what names one. */
export const LISTS: Record<string, { items: string; name: string; type?: 'resource' | 'prompt' }> = {
  'tools/list': { items: 'tools', name: 'name' },
  'resources/list': { items: 'resources', name: 'uri', type: 'resource' },
  'resources/templates/list': { items: 'resourceTemplates', name: 'uriTemplate', type: 'resource' },
  'prompts/list': { items: 'prompts', name: 'name', type: 'prompt' },
}

/** A tool as the agent gets to see it: a result of which something is withheld has no form that could be promised. */
const offeredTool = (prepared: PreparedRemit, server: string, name: string, tool: JsonObject): JsonObject => {
  if (tool.outputSchema === undefined || redactionsOf(prepared, server, name).results.length === 0) return tool
  const { outputSchema: _, ...rest } = tool
  return rest
}

/** The part of a URI template that does not depend on what stands for its variables. */
export const literalOf = (template: string): string => template.split('{', 1)[0]!

const isOffered = (
  prepared: PreparedRemit,
  server: string,
  method: string,
  name: string,
  item: JsonObject,
): boolean => {
  switch (method) {
    case 'tools/list':
      return visible(prepared, server, name, item)
    case 'prompts/list':
      return offered(prepared, 'prompt', server, name)
    case 'resources/list':
      return offered(prepared, 'resource', server, name)
    default:
      return offered(prepared, 'resource', server, literalOf(name), true)
  }
}

/** What of a list is no item: the way to the next page, and how the modern revision has an answer say what it is. */
const around = ({ nextCursor, resultType, ttlMs, cacheScope, _meta }: JsonObject): JsonObject => {
  const info = isObject(_meta) ? _meta[META.serverInfo] : undefined
  return {
    ...(typeof nextCursor === 'string' ? { nextCursor } : {}),
    ...(resultType === undefined ? {} : { resultType }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(cacheScope === undefined ? {} : { cacheScope }),
    ...(isObject(info) ? { _meta: { [META.serverInfo]: info } } : {}),
  }
}

/** Items of one page: what a server sends must not keep the gate from everything else. */
const MAX_ITEMS = 20_000
const AT_ONCE = 200

/**
 * One page of a list with what could be allowed, or wait for a person, and nothing else beside; an empty page with a
 * cursor stays one. Undefined when it is no list, or one without end.
 */
export const filterList = async (
  prepared: PreparedRemit,
  server: string,
  method: string,
  result: JsonObject,
): Promise<JsonObject | undefined> => {
  const { items, name } = LISTS[method]!
  const listed = result[items]
  if (!Array.isArray(listed) || listed.length > MAX_ITEMS) return undefined
  const kept: Json[] = []
  for (const [index, item] of listed.entries()) {
    if (index > 0 && index % AT_ONCE === 0) await setImmediate()
    const named = isObject(item) ? item[name] : undefined
    if (!isObject(item) || typeof named !== 'string') continue
    // A client that ignores case could take the second for the first.
    if (aliasOf(name, Object.keys(item)) !== undefined) continue
    if (!isOffered(prepared, server, method, named, item)) continue
    kept.push(method === 'tools/list' ? offeredTool(prepared, server, named, item) : item)
  }
  return { [items]: kept, ...around(result) }
}
