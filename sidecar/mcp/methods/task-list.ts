import { RPC } from '../../../lib/api/mcp.ts'
import { isObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { redactionsIn } from '../../redactions.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { rpcError } from '../messages.ts'
import { askServer, type MethodRequest } from './ask-server.ts'
import { cursorProblem } from './cursors.ts'
import { taskState } from './task-state.ts'

/** `tasks/list`: of a page, the tasks that are this agent's. */
export const listTasks = async (gate: GateContext, request: MethodRequest): Promise<string | undefined> => {
  const { message, server, agent, reply, inForce } = request
  // A server of 2026-07-28 lists none.
  if (agent.session?.session.modern) {
    reply.answer(rpcError(message.id, RPC.methodNotFound, 'UnknownMethod', { method: message.method }))
    return 'UnknownMethod'
  }
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
