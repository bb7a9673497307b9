import { RELATED_TASK, RPC } from '../../../lib/api/mcp.ts'
import type { DecisionRecord } from '../../../lib/api/receipt.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { fallen, refuse } from '../../../lib/core/standing.ts'
import { visible } from '../../../lib/core/visible.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { redactionsIn } from '../../redactions.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import { rpcError } from '../messages.ts'
import { type Finished, succeeded } from '../outcome.ts'
import { WITHHELD, withhold } from '../withhold.ts'
import { askServer, dispatchRequest, type MethodRequest } from './ask-server.ts'
import { cursorProblem } from './cursors.ts'
import { type KnownTask, MAX_TASK_ID } from './known-tasks.ts'
import { carryOut, type OtherStep, traceOf } from './other.ts'
import { passedAnswers, shownRequests } from './task-input.ts'
import { isOver, taskState } from './task-state.ts'

/** A request about a task that a call of this agent began. */
export interface TaskRequest extends MethodRequest {
  taskId: string
  task: KnownTask
}

/** What may be known of a task may be known as long as its tool may be called; ending it is always possible. */
const ruling = (
  gate: GateContext,
  { server, task, message }: TaskRequest,
): { inForce: InForce; decision: DecisionRecord } => {
  const inForce = gate.authority.current()!
  const { prepared } = inForce
  const what = `${server.name}/${task.tool}`
  if (message.method === 'tasks/cancel')
    return { inForce, decision: { effect: 'Allow', reason: `A task of ${what} may always be given up.` } }
  const stopped = fallen(prepared, gate.now()) ?? gate.history.frozen()
  if (stopped) return { inForce, decision: stopped }
  // A task may take longer than what its server declares is known for; the call was as pinned.
  const definition =
    gate.definitions.find(server, task.tool)?.definition ??
    prepared.pins.find((pin) => pin.server === server.name && pin.tool === task.tool)?.definition
  return visible(prepared, server.name, task.tool, definition)
    ? { inForce, decision: { effect: 'Allow', reason: `The task was begun by the call ${task.intent} of ${what}.` } }
    : { inForce, decision: refuse('NoRuleAllows', { what }) }
}

const recorded = (
  gate: GateContext,
  request: TaskRequest,
  make: () => Promise<Finished>,
): Promise<string | undefined> => {
  const { message, server, task, taskId, span } = request
  const step: OtherStep = {
    span,
    server: server.name,
    method: message.method,
    about: { type: 'task', name: taskId, intent: task.intent },
    args: { taskId },
    hidden: () => [],
    decide: () => ruling(gate, request),
  }
  return carryOut(gate, request, step, make)
}

/** What a call came to, as its own answer would have been: by what is redacted now. */
const callResult = (
  gate: GateContext,
  { inForce, server, task, span }: TaskRequest,
  answer: ServerMessage,
): Finished => {
  const redactions = redactionsIn(gate.authority.current() ?? inForce, server.name, task.tool, task.class)
  return succeeded(answer, redactions, gate.commitments.at({ trace: traceOf(span), part: 'result' }))
}

const isWithheld = (gate: GateContext, { inForce, server, task }: TaskRequest): boolean =>
  redactionsIn(gate.authority.current() ?? inForce, server.name, task.tool, task.class).results.length > 0

/** A refusal of the server, without its words where the policy withholds what the tool says. */
const serverError = (gate: GateContext, request: TaskRequest, { message, raw }: ServerMessage): Finished => {
  const shown = isWithheld(gate, request) ? withhold(message, [[]], () => WITHHELD) : undefined
  return {
    outcome: { outcome: 'error', text: 'The server refuses.' },
    answer: () => shown ?? raw,
    error: isObject(message.error) ? String(message.error.code) : 'invalid',
  }
}

/** The task in an answer, which has to be the one that was asked about. */
const taskIn = ({ message }: ServerMessage, taskId: string): JsonObject => {
  const { result } = message
  if (!isObject(result) || result.taskId !== taskId)
    throw new UpstreamFailure('invalid', 'it speaks of another task', true)
  return result
}

/** `tasks/result`: what the call came to, once it has. */
const fetchResult = (gate: GateContext, request: TaskRequest) =>
  recorded(gate, request, () =>
    dispatchRequest(gate, request, { taskId: request.taskId }, {}, (answer) => {
      const finished = callResult(gate, request, answer)
      request.task.ended = true
      if (!isWithheld(gate, request)) return finished
      // The protocol has the answer say which task it is of, and of what is withheld `_meta` is left out.
      return {
        ...finished,
        answer: (receipt) => {
          const told = finished.answer(receipt)
          const message = (typeof told === 'string' ? JSON.parse(told) : told) as JsonObject
          if (!isObject(message.result)) return message
          return { ...message, result: { ...message.result, _meta: { [RELATED_TASK]: { taskId: request.taskId } } } }
        },
      }
    }),
  )

const cancel = (gate: GateContext, request: TaskRequest) =>
  recorded(gate, request, () =>
    dispatchRequest(gate, request, { taskId: request.taskId }, {}, (answer) => {
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
    }),
  )

/** `tasks/update`: what the agent says to what the server asked meanwhile. */
const update = (gate: GateContext, request: TaskRequest) =>
  recorded(gate, request, async () => {
    const inputResponses = await passedAnswers(gate, request)
    return dispatchRequest(gate, request, { taskId: request.taskId, inputResponses }, {}, (answer) => {
      if (!('result' in answer.message)) return serverError(gate, request, answer)
      return { outcome: { outcome: 'ok' }, answer: () => answer.raw }
    })
  })

/**
 * `tasks/get`: how far a task is. That is not recorded, because nothing comes of it; what a task has come to, or asks
 * for, is, before the agent hears of it.
 */
const poll = async (gate: GateContext, request: TaskRequest): Promise<string | undefined> => {
  const { task, taskId, reply } = request
  if (ruling(gate, request).decision.effect !== 'Allow')
    return recorded(gate, request, () => Promise.reject(new Error('a task is polled that may not be')))
  const answer = await askServer(gate, request, { taskId })
  if (!('result' in answer.message)) {
    const { answer: told, error } = serverError(gate, request, answer)
    reply.answer(told(''))
    return error
  }
  const given = taskIn(answer, taskId)
  const state = taskState(given, isWithheld(gate, request))
  const tell = (more: JsonObject): JsonObject => ({ ...answer.message, result: { ...state, ...more } })
  if (isOver(given)) task.ended = true
  const { result, error, inputRequests } = given
  if (isObject(result) || isObject(error))
    return recorded(gate, request, async () => {
      const { jsonrpc, id } = answer.message as { jsonrpc: string; id: string }
      const message: JsonObject = { jsonrpc, id, ...(isObject(result) ? { result } : { error: error! }) }
      const finished = callResult(gate, request, { message, raw: JSON.stringify(message) })
      return {
        ...finished,
        answer: (receipt) => {
          const told = finished.answer(receipt)
          const shown = (typeof told === 'string' ? JSON.parse(told) : told) as JsonObject
          return tell('result' in shown ? { result: shown.result! } : { error: shown.error! })
        },
      }
    })
  if (isObject(inputRequests)) reply.answer(tell({ inputRequests: await shownRequests(gate, request, inputRequests) }))
  else reply.answer(tell({}))
  return undefined
}

/** `tasks/list`: of a page, the tasks that are this agent's. */
const list = async (gate: GateContext, request: MethodRequest): Promise<string | undefined> => {
  const { message, server, reply, inForce } = request
  const cursor = message.params?.cursor
  const problem = cursorProblem(gate.cursors, server, message.method, cursor)
  if (problem !== undefined) {
    reply.answer(rpcError(message.id, RPC.invalidParams, 'MalformedRequest', { detail: problem }))
    return 'MalformedRequest'
  }
  const answer = await askServer(gate, request, cursor === undefined ? {} : { cursor })
  const { result } = answer.message
  if (!isObject(result) || !Array.isArray(result.tasks)) {
    if ('result' in answer.message) throw new UpstreamFailure('invalid', 'the list is not one', true)
    reply.answer(answer.raw)
    return String(isObject(answer.message.error) ? answer.message.error.code : '')
  }
  const tasks = result.tasks.flatMap((each) => {
    const known =
      isObject(each) && typeof each.taskId === 'string' ? gate.tasks.find(server.name, each.taskId) : undefined
    if (!known || !isObject(each)) return []
    return [
      taskState(
        each,
        redactionsIn(gate.authority.current() ?? inForce, server.name, known.tool, known.class).results.length > 0,
      ),
    ]
  })
  const { nextCursor } = result
  if (typeof nextCursor === 'string') gate.cursors.given(server, message.method, nextCursor)
  reply.answer({ ...answer.message, result: { tasks, ...(typeof nextCursor === 'string' ? { nextCursor } : {}) } })
  return undefined
}

/** A request about tasks, of which none is known but those that this agent's own calls began. Returns the span's error word. */
export const handleTask = async (gate: GateContext, request: MethodRequest): Promise<string | undefined> => {
  const { message, server, reply } = request
  const { id, method, params } = message
  if (method === 'tasks/list') return list(gate, request)
  const taskId = params?.taskId
  const task =
    typeof taskId === 'string' && taskId.length <= MAX_TASK_ID ? gate.tasks.find(server.name, taskId) : undefined
  if (!task) {
    reply.answer(rpcError(id, RPC.invalidParams, 'UnknownTask'))
    return 'UnknownTask'
  }
  const known: TaskRequest = { ...request, task, taskId: taskId as string }
  if (method === 'tasks/get') return poll(gate, known)
  if (method === 'tasks/result') return fetchResult(gate, known)
  return method === 'tasks/cancel' ? cancel(gate, known) : update(gate, known)
}
