import { RELATED_TASK } from '../../../lib/api/mcp.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { redactionsIn } from '../../redactions.ts'
import type { ServerMessage } from '../answer.ts'
import { type Finished, succeeded } from '../outcome.ts'
import { underId } from '../render.ts'
import { WITHHELD, withhold } from '../withhold.ts'
import { dispatchRequest } from './ask-server.ts'
import { traceOf } from './other.ts'
import { isWithheld, recordedTask, type TaskRequest } from './task-request.ts'

/** What a call came to, as its own answer would have been: by what is redacted now. */
export const callResult = (
  gate: GateContext,
  { inForce, server, task, span }: TaskRequest,
  answer: ServerMessage,
): Finished => {
  const redactions = redactionsIn(gate.authority.current() ?? inForce, server.name, task.tool, task.class)
  return succeeded(answer, redactions, gate.commitments.at({ trace: traceOf(span), part: 'result' }))
}

/** A refusal of the server, without its words where the policy withholds what the tool says. */
export const serverError = (gate: GateContext, request: TaskRequest, { message, raw }: ServerMessage): Finished => {
  const shown = isWithheld(gate, request) ? withhold(message, [[]], () => WITHHELD) : undefined
  return {
    outcome: { outcome: 'error', text: 'The server refuses.' },
    answer: () => shown ?? raw,
    error: isObject(message.error) ? String(message.error.code) : 'invalid',
  }
}

/** An answer that says which task it is of, as the protocol has it. */
const ofTask = (told: string | JsonObject, taskId: string): JsonObject => {
  const message = (typeof told === 'string' ? JSON.parse(told) : told) as JsonObject
  if (!isObject(message.result)) return message
  return { ...message, result: { ...message.result, _meta: { [RELATED_TASK]: { taskId } } } }
}

/** `tasks/result`: what the call came to, once it has. */
export const fetchResult = (gate: GateContext, request: TaskRequest): Promise<string | undefined> => {
  const { task, taskId, message } = request
  const judge = (answer: ServerMessage): Finished => {
    const finished = callResult(gate, request, answer)
    task.ended = true
    // Of what is withheld `_meta` is left out.
    return isWithheld(gate, request) || task.came
      ? { ...finished, answer: (receipt) => ofTask(finished.answer(receipt), taskId) }
      : finished
  }
  const { came } = task
  return recordedTask(gate, request, async () =>
    came ? judge(underId(came.answer, message.id)) : dispatchRequest(gate, request, { taskId }, {}, judge),
  )
}
