import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { admitAnswer } from '../server-answers.ts'
import { admitRequest } from '../server-requests.ts'
import type { TaskRequest } from './tasks.ts'

const MAX_ASKED = 16
const MAX_KEY = 256

/**
 * What a server asks for a task, as far as the agent may be asked it: decided and recorded when it comes up first, and
 * shown as it was then ever after.
 */
export const shownRequests = async (
  gate: GateContext,
  request: TaskRequest,
  asked: JsonObject,
): Promise<JsonObject> => {
  const { task, server } = request
  const shown: JsonObject = {}
  for (const [key, given] of Object.entries(asked).slice(0, MAX_ASKED)) {
    const known = task.asked.get(key)
    if (known) {
      shown[key] = { method: known.request.method, params: known.request.params }
      continue
    }
    if (!isObject(given) || key.length > MAX_KEY || task.asked.size >= MAX_ASKED) continue
    const one = { method: String(given.method), params: isObject(given.params) ? given.params : {} }
    const admitted = await gate.asked.during(server.name, () => admitRequest(gate, request, one))
    if ('error' in admitted) continue
    task.asked.set(key, admitted.admitted)
    const { method, params } = admitted.admitted.request
    shown[key] = { method, params }
  }
  return shown
}

/** Of what the agent says to such requests, what may leave: to those it was shown, each once. */
export const passedAnswers = async (gate: GateContext, request: TaskRequest): Promise<JsonObject> => {
  const { task, message } = request
  const given = message.params?.inputResponses
  const passed: JsonObject = {}
  for (const [key, result] of Object.entries(isObject(given) ? given : {})) {
    const admitted = task.asked.get(key)
    if (!admitted || !isObject(result)) continue
    task.asked.delete(key)
    const answered = await admitAnswer(gate, request, admitted, { result })
    if ('result' in answered) passed[key] = answered.result
  }
  return passed
}
