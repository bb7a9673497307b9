import { randomUUID } from 'node:crypto'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { failureOf } from '../../upstream.ts'
import { asModernRequest } from '../input.ts'
import type { Admitted, Answered, ServerOptions } from '../ports.ts'
import { admitAnswer, concluded, NO_ANSWER } from '../server-answers.ts'
import { admitRequest } from '../server-requests.ts'
import type { KnownTask } from './known-tasks.ts'
import type { TaskRequest } from './task-request.ts'

const MAX_ASKED = 16
const MAX_KEY = 256

const shownAs = ({ request }: Admitted): JsonObject => {
  const { method, params } = asModernRequest(request)
  const { _meta, ...shown } = params
  return { method, params: shown }
}

/**
 * What a server of 2026-07-28 asks for a task, as far as the agent may be asked it: decided and recorded when it comes
 * up first, and shown as it was then ever after.
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
      shown[key] = shownAs(known)
      continue
    }
    if (!isObject(given) || key.length > MAX_KEY || task.asked.size + task.refused.size >= MAX_ASKED) continue
    if (task.refused.has(key)) continue
    const one = { method: String(given.method), params: isObject(given.params) ? given.params : {} }
    const admitted = await gate.asked.during(server.name, () => admitRequest(gate, request, one))
    if ('error' in admitted) {
      task.refused.add(key)
      continue
    }
    task.asked.set(key, admitted.admitted)
    shown[key] = shownAs(admitted.admitted)
  }
  return shown
}

/** What a server of 2025-11-25 asks for a task as somebody waits for it: decided and recorded, and kept until it is answered. */
export const parking =
  (gate: GateContext, request: TaskRequest): ServerOptions['onRequest'] =>
  async (asked, signal) => {
    const { task, server } = request
    if (task.asked.size >= MAX_ASKED) return NO_ANSWER
    const scene = { ...request, inForce: gate.authority.current() ?? request.inForce }
    const decided = await admitRequest(gate, scene, asked)
    if ('error' in decided) return decided
    const { admitted } = decided
    const key = randomUUID()
    return new Promise<Answered>((resolve, reject) => {
      const giveUp = () => {
        task.asked.delete(key)
        const outcome = { outcome: 'cancelled' as const, text: 'Nobody answered it.' }
        concluded(gate, server.name, admitted, { told: NO_ANSWER, outcome }).then(
          () => reject(failureOf(signal)),
          reject,
        )
      }
      const tell = (answered: Answered) => {
        signal.removeEventListener('abort', giveUp)
        resolve(answered)
      }
      task.asked.set(key, { ...admitted, tell })
      signal.addEventListener('abort', giveUp)
      if (signal.aborted) giveUp()
    })
  }

/** What is kept of what servers of 2025-11-25 ask for a task. */
export const parkedRequests = ({ asked }: KnownTask): JsonObject =>
  Object.fromEntries([...asked].flatMap(([key, one]) => (one.tell ? [[key, shownAs(one)]] : [])))

/**
 * Of what the agent says to such requests, what may leave: to those it was shown, each once. Those who wait for an
 * answer get it at once; resolves with what has to be sent.
 */
export const passedAnswers = async (gate: GateContext, request: TaskRequest): Promise<JsonObject> => {
  const { task, message } = request
  const given = message.params?.inputResponses
  const passed: JsonObject = {}
  for (const [key, result] of Object.entries(isObject(given) ? given : {})) {
    const asked = task.asked.get(key)
    if (!asked || !isObject(result)) continue
    task.asked.delete(key)
    const { tell, ...admitted } = asked
    const answered = await admitAnswer(gate, request, admitted, { result })
    if (tell) tell(answered)
    else if ('result' in answered) passed[key] = answered.result
  }
  return passed
}
