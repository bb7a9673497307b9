import { TASKS_EXTENSION } from '../../lib/api/mcp.ts'
import { offersAny } from '../../lib/core/decide-other.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { InForce } from '../authority.ts'

/** Of an object the members that are themselves objects, each as an empty one: what they say inside is not decided. */
const flags = (value: JsonObject, names: string[]): JsonObject =>
  Object.fromEntries(names.filter((name) => isObject(value[name])).map((name) => [name, {}]))

const extensions = (given: JsonObject): JsonObject =>
  isObject(given.extensions) && isObject(given.extensions[TASKS_EXTENSION])
    ? { extensions: { [TASKS_EXTENSION]: {} } }
    : {}

/**
 * What an agent is told a server can do (of `initialize` or `server/discover`): of what it can, what some rule could
 * give. Lists change with the remit, so the gate itself says when they do.
 */
export const offeredToAgent = ({ prepared }: InForce, server: string, given: JsonObject): JsonObject => {
  const { tools, resources, prompts, tasks } = given
  const reads = isObject(resources) && offersAny(prepared, 'resource', server)
  const gets = isObject(prompts) && offersAny(prepared, 'prompt', server)
  const canCall = isObject(tasks) && isObject(tasks.requests) && isObject(tasks.requests.tools)
  return {
    ...(isObject(tools) ? { tools: { ...tools, listChanged: true } } : {}),
    ...flags(given, ['logging']),
    ...(reads
      ? { resources: { ...(resources.subscribe === true ? { subscribe: true } : {}), listChanged: true } }
      : {}),
    ...(gets ? { prompts: { listChanged: true } } : {}),
    ...(reads || gets ? flags(given, ['completions']) : {}),
    ...(canCall ? { tasks: { ...flags(tasks, ['list', 'cancel']), requests: { tools: { call: {} } } } } : {}),
    ...extensions(given),
  }
}

/** What a server is told an agent can do: of what it can, what some rule could let the server ask for. */
export const offeredToServer = ({ prepared }: InForce, server: string, given: JsonObject): JsonObject => {
  const { sampling, elicitation, roots } = given
  const may = (method: string, mode?: string) => offersAny(prepared, 'request', server, method, mode)
  const modes = isObject(elicitation) ? modesOf(elicitation).filter((mode) => may('elicitation/create', mode)) : []
  return {
    ...(isObject(sampling) && may('sampling/createMessage') ? { sampling: flags(sampling, ['tools', 'context']) } : {}),
    ...(modes.length > 0 ? { elicitation: Object.fromEntries(modes.map((mode) => [mode, {}])) } : {}),
    ...(isObject(roots) && may('roots/list') ? { roots: roots.listChanged === true ? { listChanged: true } : {} } : {}),
    ...extensions(given),
  }
}

/** The kinds of elicitation a client can do; one that names none does forms. */
export const modesOf = (elicitation: JsonObject): ('form' | 'url')[] => {
  const url = isObject(elicitation.url)
  return [...(isObject(elicitation.form) || !url ? ['form' as const] : []), ...(url ? ['url' as const] : [])]
}
