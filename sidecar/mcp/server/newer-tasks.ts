import { RELATED_TASK, RPC, TASKS_EXTENSION } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import { callsCanBeTasks } from '../capabilities.ts'
import { within } from '../forward.ts'
import type { Asked, ServerOptions } from '../ports.ts'
import { answerOf } from '../render.ts'
import { asNewerTask, isTaskOver } from '../render-task.ts'
import { lookForTool } from './look-for-tool.ts'
import { ownId } from './own-id.ts'

const LOOK_MS = 10_000
const MAX_TOOLS = 5_000
/** Tasks that are waited for at a time, so that their servers can ask the agent. */
const MAX_WATCHED = 100
/** How long an answer waits for what its server asks, once somebody waits for the task. */
const ASK_MS = 200

/** A request of a modern agent's on its way to a server of an older revision. */
export interface NewerRequest {
  server: RemitServer
  /** What the server said of itself. */
  capabilities: JsonObject
  asked: Asked
  /** The agent can be answered with a task. */
  mayBeTask: boolean
  options: ServerOptions
  /** Puts a request of the older revision to the server. */
  ask: (asked: Asked, options: ServerOptions) => Promise<ServerMessage>
}

const NEEDS_EXTENSION: JsonObject = {
  code: RPC.missingCapability,
  message: 'This tool can only be called by a client that has tasks.',
  data: { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } },
}

/**
 * The tasks of servers of 2025-11-25 for agents of the modern revision: there the client says which calls become tasks,
 * fetches results by a request of their own, and is asked for input while it waits for one.
 */
export const createNewerTasks = (gate: Pick<Outside, 'asked' | 'limits' | 'log'>) => {
  /** Whether a tool can only be called as a task, as the servers' lists said last. */
  const required = new Map<string, boolean>()
  const watched = new Set<string>()
  const keyOf = ({ name, url }: RemitServer, rest: unknown) => `${name} ${url} ${rest}`

  const learn = (server: RemitServer, tools: unknown): void => {
    for (const tool of Array.isArray(tools) ? tools : []) {
      if (!isObject(tool)) continue
      if (required.size >= MAX_TOOLS) required.delete(required.keys().next().value!)
      required.set(keyOf(server, tool.name), isObject(tool.execution) && tool.execution.taskSupport === 'required')
    }
  }
  const isRequired = async ({ server, asked, ask, options }: NewerRequest): Promise<boolean> => {
    const key = keyOf(server, asked.params.name)
    if (required.has(key)) return required.get(key)!
    const limit = within(LOOK_MS, options.signal)
    const quiet = { ...options, signal: limit.signal, onNotification: () => {} }
    const list = async (params: { cursor?: string }) => {
      const answer = await ask({ method: 'tools/list', params }, quiet)
      learn(server, isObject(answer.message.result) ? answer.message.result.tools : undefined)
      return answer
    }
    try {
      await lookForTool(list, () => required.has(key))
    } catch (error) {
      if (!(error instanceof UpstreamFailure) || options.signal.aborted) throw error
      gate.log.debug({ server: server.name, reason: error.message }, 'which tools become tasks is not known')
    } finally {
      limit.done()
    }
    return required.get(key) === true
  }

  const call = async (request: NewerRequest): Promise<ServerMessage> => {
    const { asked, ask, options, capabilities, mayBeTask } = request
    if (!callsCanBeTasks(capabilities) || !(await isRequired(request))) return ask(asked, options)
    if (!mayBeTask) return answerOf(ownId(), { error: NEEDS_EXTENSION })
    const answer = await ask({ ...asked, params: { ...asked.params, task: {} } }, options)
    const { result } = answer.message
    if (!isObject(result) || !isObject(result.task)) return answer
    const meta: JsonObject = isObject(result._meta) ? { _meta: result._meta } : {}
    return answerOf(ownId(), { result: { resultType: 'task', ...asNewerTask(result.task), ...meta } })
  }

  /** Waits for a task in the background, because only who waits is asked. What it comes to is fetched when it is over. */
  const watch = async ({ server, ask, options }: NewerRequest, params: JsonObject): Promise<void> => {
    const key = keyOf(server, params.taskId)
    if (watched.has(key) || watched.size >= MAX_WATCHED) return
    watched.add(key)
    const limit = within(gate.limits.inputMs)
    const quiet = { ...options, signal: limit.signal, onNotification: () => {} }
    gate.asked
      .during(server.name, () => ask({ method: 'tasks/result', params }, quiet))
      .catch((error: unknown) =>
        gate.log.debug({ err: error, server: server.name }, 'a task was not waited for to its end'),
      )
      .finally(() => {
        limit.done()
        watched.delete(key)
      })
    await new Promise((resolve) => setTimeout(resolve, ASK_MS))
  }

  const get = async (request: NewerRequest): Promise<ServerMessage> => {
    const { asked, ask, options } = request
    const answer = await ask(asked, options)
    const { result: task } = answer.message
    if (!isObject(task)) return answer
    if (task.status === 'input_required') await watch(request, asked.params)
    if (!isTaskOver(task) || task.status === 'cancelled') return answerOf(ownId(), { result: asNewerTask(task) })
    const { result, error } = (await ask({ method: 'tasks/result', params: asked.params }, options)).message
    if (!isObject(result))
      return answerOf(ownId(), { result: asNewerTask(task, { error: isObject(error) ? error : {} }) })
    const { [RELATED_TASK]: _related, ...meta } = isObject(result._meta) ? result._meta : {}
    const { _meta, ...came } = result
    const told = Object.keys(meta).length > 0 ? { ...came, _meta: meta } : came
    return answerOf(ownId(), { result: asNewerTask(task, { result: told }) })
  }

  return {
    learn,
    /** Resolves with the answer in the newer form, under some id. Rejects as `ask` does. */
    request: async (request: NewerRequest): Promise<ServerMessage> => {
      const { asked, ask, options } = request
      switch (asked.method) {
        case 'tools/call':
          return call(request)
        case 'tasks/get':
          return get(request)
        case 'tasks/cancel': {
          const answer = await ask(asked, options)
          return isObject(answer.message.result) ? answerOf(ownId(), { result: {} }) : answer
        }
        // What it says has been given already to who asked.
        case 'tasks/update':
          return answerOf(ownId(), { result: {} })
        default:
          return ask(asked, options)
      }
    },
  }
}
export type NewerTasks = ReturnType<typeof createNewerTasks>
