import { RELATED_TASK, type RequestId, RPC } from '../../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { pause } from '../../../lib/service/pause.ts'
import type { Outside } from '../../context.ts'
import { failureOf } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import type { Asked, ServerOptions } from '../ports.ts'
import { answerOf, refusalOf, underId } from '../render.ts'
import { asOlderTask, isTaskOver } from '../render-task.ts'
import { asOlderRequest } from './older-request.ts'
import { ownId } from './own-id.ts'

/** Between two looks at a task whose server does not say how often it may be looked at, and what it may say. */
const POLL_MS = 1_000
const MIN_POLL_MS = 50
const MAX_POLL_MS = 5_000
/** Requests of a task that are answered at a time. */
const MAX_ASKED = 16
const MAX_GIVEN_UP = 1_000

/** Tasks that agents gave up: to them they stay that, whatever their servers still make of them. */
export const createGivenUp = () => {
  const tasks = new Set<string>()
  const keyOf = (server: string, taskId: unknown) => `${server} ${taskId}`
  return {
    add: (server: string, taskId: unknown) => {
      if (tasks.size >= MAX_GIVEN_UP) tasks.delete(tasks.values().next().value!)
      tasks.add(keyOf(server, taskId))
    },
    has: (server: string, taskId: unknown): boolean => tasks.has(keyOf(server, taskId)),
  }
}

type Ask = (asked: Asked & { id: RequestId }, options: ServerOptions) => Promise<ServerMessage>

/**
 * The tasks of a modern server as an agent of 2025-11-25 asks for them: what a task came to is in its state there, and
 * so is what it asks, which is put to the agent while it waits for the result.
 */
export const createOlderTasks = (
  gate: Pick<Outside, 'authority'>,
  server: string,
  givenUp: ReturnType<typeof createGivenUp>,
  ask: Ask,
) => {
  type Looked = { answer: ServerMessage } | { task: JsonObject }
  const look = async (id: RequestId, params: JsonObject, options: ServerOptions): Promise<Looked> => {
    const answer = underId(await ask({ method: 'tasks/get', params, id: ownId() }, options), id)
    return isObject(answer.message.result) ? { task: answer.message.result } : { answer }
  }
  const shown = (task: JsonObject): JsonObject => ({
    ...asOlderTask(task),
    ...(givenUp.has(server, task.taskId) ? { status: 'cancelled' } : {}),
  })

  /** Has the agent answer what a task asks, and the server hear it; a phrase for why it does not. */
  const answerInput = async (
    { taskId, inputRequests }: JsonObject,
    params: JsonObject,
    answered: Set<string>,
    options: ServerOptions,
  ): Promise<string | undefined> => {
    const inForce = gate.authority.current()
    const asked = Object.entries(isObject(inputRequests) ? inputRequests : {}).filter(([key]) => !answered.has(key))
    if (asked.length > MAX_ASKED) return 'The server asks for more than it may.'
    const inputResponses: JsonObject = {}
    for (const [key, request] of asked) {
      const { method, params: given } = isObject(request) ? request : {}
      const about = { ...(isObject(given) ? given : {}), _meta: { [RELATED_TASK]: { taskId: taskId! } } }
      const said = await options.onRequest(asOlderRequest({ method: String(method), params: about }), options.signal)
      if ('error' in said) return `The server asked for input it did not get: ${said.error.message}`
      inputResponses[key] = said.result
      answered.add(key)
    }
    // What the agent may say was decided by another remit.
    if (gate.authority.current() !== inForce)
      return 'The remit changed while the server waited for input. The result can be asked for again.'
    if (asked.length > 0)
      await ask({ method: 'tasks/update', params: { ...params, inputResponses }, id: ownId() }, options)
    return undefined
  }

  const result = async (id: RequestId, params: JsonObject, options: ServerOptions): Promise<ServerMessage> => {
    const answered = new Set<string>()
    for (;;) {
      const looked = await look(id, params, options)
      if ('answer' in looked) return looked.answer
      const { task } = looked
      const { taskId, status, result: came, error, pollIntervalMs } = task
      if (isObject(came)) {
        const { resultType: _type, _meta, ...rest } = came
        const meta = { ...(isObject(_meta) ? _meta : {}), [RELATED_TASK]: { taskId: taskId! } }
        return answerOf(id, { result: { ...rest, _meta: meta } })
      }
      if (isObject(error)) return answerOf(id, { error })
      if (isTaskOver(task) || givenUp.has(server, taskId))
        return refusalOf(id, RPC.internal, 'The task was given up, and has no result.')
      if (status === 'input_required') {
        const problem = await answerInput(task, params, answered, options)
        if (problem !== undefined) return refusalOf(id, RPC.internal, problem)
      }
      const wanted = typeof pollIntervalMs === 'number' ? pollIntervalMs : POLL_MS
      await pause(Math.min(Math.max(wanted, MIN_POLL_MS), MAX_POLL_MS), options.signal)
      if (options.signal.aborted) throw failureOf(options.signal)
    }
  }

  /** The older revision answers with the task, given up from then on; the newer promises no more than to try. */
  const cancel = async (id: RequestId, params: JsonObject, options: ServerOptions): Promise<ServerMessage> => {
    const looked = await look(id, params, options)
    if ('answer' in looked) return looked.answer
    const { task } = looked
    if (isTaskOver(task) || givenUp.has(server, task.taskId))
      return refusalOf(id, RPC.invalidParams, 'The task is over already.')
    const answer = underId(await ask({ method: 'tasks/cancel', params, id: ownId() }, options), id)
    if (!isObject(answer.message.result)) return answer
    givenUp.add(server, task.taskId)
    return answerOf(id, { result: shown(task) })
  }

  /** Resolves with the answer to a request about a task; undefined for any other. */
  return async (
    { id, method, params }: Asked & { id: RequestId },
    options: ServerOptions,
  ): Promise<ServerMessage | undefined> => {
    if (method === 'tasks/result') return result(id, params, options)
    if (method === 'tasks/cancel') return cancel(id, params, options)
    if (method !== 'tasks/get') return undefined
    const looked = await look(id, params, options)
    return 'answer' in looked ? looked.answer : answerOf(id, { result: shown(looked.task) })
  }
}
