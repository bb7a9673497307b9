import { RPC } from '../../../lib/api/mcp.ts'
import { isObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { refusalOf } from '../render.ts'
import { dispatchRequest } from './ask-server.ts'
import { passedAnswers } from './task-input.ts'
import { isWithheld, recordedTask, type TaskRequest, taskIn } from './task-request.ts'
import { serverError } from './task-result.ts'
import { taskState } from './task-state.ts'

/** `tasks/cancel`: gives a task up. */
export const cancelTask = (gate: GateContext, request: TaskRequest) =>
  recordedTask(gate, request, async () => {
    if (request.task.came)
      return serverError(gate, request, refusalOf(request.message.id, RPC.invalidParams, 'The task is over already.'))
    return dispatchRequest(gate, request, { taskId: request.taskId }, {}, (answer) => {
      if (!('result' in answer.message)) return serverError(gate, request, answer)
      const { result } = answer.message
      request.task.ended = true
      // 2025-11-25 answers with the task, 2026-07-28 with nothing.
      const told =
        isObject(result) && result.taskId !== undefined
          ? taskState(taskIn(answer, request.taskId), isWithheld(gate, request))
          : isObject(result) && typeof result.resultType === 'string'
            ? { resultType: result.resultType }
            : {}
      return { outcome: { outcome: 'ok' }, answer: () => ({ ...answer.message, result: told }) }
    })
  })

/** `tasks/update`: what the agent says to what the server asked meanwhile. */
export const updateTask = (gate: GateContext, request: TaskRequest) =>
  recordedTask(gate, request, async () => {
    const inputResponses = await passedAnswers(gate, request)
    return dispatchRequest(gate, request, { taskId: request.taskId, inputResponses }, {}, (answer) => {
      if (!('result' in answer.message)) return serverError(gate, request, answer)
      return { outcome: { outcome: 'ok' }, answer: () => answer.raw }
    })
  })
