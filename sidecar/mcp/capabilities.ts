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
  return {
    ...(isObject(tools) ? { tools: { ...tools, listChanged: true } } : {}),
    ...flags(given, ['logging']),
    ...(reads
      ? { resources: { ...(resources.subscribe === true ? { subscribe: true } : {}), listChanged: true } }
      : {}),
    ...(gets ? { prompts: { listChanged: true } } : {}),
    ...(reads || gets ? flags(given, ['completions']) : {}),
    ...(isObject(tasks) && callsCanBeTasks(given)
      ? { tasks: { ...flags(tasks, ['list', 'cancel']), ...CALLS_ARE_TASKS } }
      : {}),
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

/** The revision before the newest, alone of those with sessions, has tasks: in its core. */
const HAS_TASKS = '2025-11-25'
const CALLS_ARE_TASKS = { requests: { tools: { call: {} } } }

/** Whether a server of an older revision carries calls on as tasks. */
export const callsCanBeTasks = ({ tasks }: JsonObject): boolean =>
  isObject(tasks) && isObject(tasks.requests) && isObject(tasks.requests.tools) && isObject(tasks.requests.tools.call)

/** What a modern server can do, as one of an older revision says it. Tasks cannot be listed: the newer one does not. */
export const asOlderCapabilities = ({ extensions: given, ...rest }: JsonObject, version: string): JsonObject => ({
  ...rest,
  ...(version === HAS_TASKS && isObject(given) && isObject(given[TASKS_EXTENSION])
    ? { tasks: { cancel: {}, ...CALLS_ARE_TASKS } }
    : {}),
})

/** What a server of an older revision can do, as a modern one says it. */
export const asNewerCapabilities = (given: JsonObject): JsonObject => {
  const { tasks: _tasks, ...rest } = given
  return callsCanBeTasks(given) ? { ...rest, extensions: { [TASKS_EXTENSION]: {} } } : rest
}

/** Whether a modern client can be answered with a task. */
export const hasTasks = ({ extensions: given }: JsonObject): boolean =>
  isObject(given) && isObject(given[TASKS_EXTENSION])

/** The kinds of elicitation a client can do; one that names none does forms. */
export const modesOf = (elicitation: JsonObject): ('form' | 'url')[] => {
  const url = isObject(elicitation.url)
  return [...(isObject(elicitation.form) || !url ? ['form' as const] : []), ...(url ? ['url' as const] : [])]
}
