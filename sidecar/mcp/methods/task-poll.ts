import { RPC } from '../../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { requestError } from '../messages.ts'
import { failed } from '../outcome.ts'
import { answerOf } from '../render.ts'
import { isTaskOver } from '../render-task.ts'
import { askServer } from './ask-server.ts'
import { parkedRequests, parking, shownRequests } from './task-input.ts'
import { isWithheld, recordedTask, rulingOf, type TaskRequest, taskIn } from './task-request.ts'
import { callResult, serverError } from './task-result.ts'
import { taskState } from './task-state.ts'
import { withAdmittedUrls } from './url-elicitations.ts'

/** What an agent may be asked for a task at this moment, by its key. */
const inputFor = async (gate: GateContext, request: TaskRequest, given: JsonObject): Promise<JsonObject> => ({
  ...(isObject(given.inputRequests) ? await shownRequests(gate, request, given.inputRequests) : {}),
  ...parkedRequests(request.task),
})

/** Tells the task, and what it came to once that is recorded; of an error the URLs it wants opened are decided first. */
const tellResult = (
  gate: GateContext,
  request: TaskRequest,
  came: { result: JsonObject } | { error: JsonObject },
  tell: (more: JsonObject) => JsonObject,
): Promise<string | undefined> =>
  recordedTask(gate, request, async () => {
    const { message, server } = request
    const scene = { ...request, inForce: gate.authority.current() ?? request.inForce }
    const finished = await gate.asked
      .during(server.name, () => withAdmittedUrls(gate, scene, answerOf(message.id, came)))
      .then((answer) => callResult(gate, request, answer))
      .catch((error: unknown) => failed(message.id, server.name, error, gate.limits.idleMs, requestError(RPC.internal)))
    return {
      ...finished,
      answer: (receipt) => {
        const told = finished.answer(receipt)
        const shown = (typeof told === 'string' ? JSON.parse(told) : told) as JsonObject
        return tell('result' in shown ? { result: shown.result! } : { error: shown.error! })
      },
    }
  })

/**
 * `tasks/get`: how far a task is. That is not recorded, because nothing comes of it; what a task has come to, or asks
 * for, is, before the agent hears of it.
 */
export const pollTask = async (gate: GateContext, request: TaskRequest): Promise<string | undefined> => {
  const { task, taskId, reply, agent, message } = request
  if (rulingOf(gate, request).decision.effect !== 'Allow')
    return recordedTask(gate, request, () => Promise.reject(new Error('a task is polled that may not be')))
  if (task.came) {
    reply.answer(answerOf(message.id, { result: task.came.state }).raw)
    return undefined
  }
  const answer = await askServer(gate, { ...request, onRequest: parking(gate, request) }, { taskId })
  if (!('result' in answer.message)) {
    const { answer: told, error } = serverError(gate, request, answer)
    reply.answer(told(''))
    return error
  }
  const given = taskIn(answer, taskId)
  const state = taskState(given, isWithheld(gate, request))
  const tell = (more: JsonObject): JsonObject => ({ ...answer.message, result: { ...state, ...more } })
  if (isTaskOver(given)) task.ended = true
  const { result, error, status } = given
  if (isObject(result)) return tellResult(gate, request, { result }, tell)
  if (isObject(error)) return tellResult(gate, request, { error }, tell)
  if (agent.era === 'legacy' || status !== 'input_required') {
    reply.answer(tell({}))
    return undefined
  }
  const inputRequests = await inputFor(gate, request, given)
  // What the agent may not be asked it does not wait for.
  const isAsked = Object.keys(inputRequests).length > 0
  reply.answer(tell(isAsked ? { inputRequests } : { status: 'working' }))
  return undefined
}
