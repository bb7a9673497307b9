import { RPC, TASKS_EXTENSION } from '../../../lib/api/mcp.ts'
import type { GateContext } from '../../context.ts'
import { hasTasks } from '../capabilities.ts'
import { rpcError } from '../messages.ts'
import type { MethodRequest } from './ask-server.ts'
import { MAX_TASK_ID } from './known-tasks.ts'
import { listTasks } from './task-list.ts'
import { pollTask } from './task-poll.ts'
import type { TaskRequest } from './task-request.ts'
import { fetchResult } from './task-result.ts'
import { cancelTask, updateTask } from './task-steering.ts'

/** A request about tasks, of which none is known but those that this agent's own calls began. Returns the span's error word. */
export const handleTask = async (gate: GateContext, request: MethodRequest): Promise<string | undefined> => {
  const { message, server, agent, reply } = request
  const { id, method, params } = message
  if (method === 'tasks/list') return listTasks(gate, request)
  const taskId = params?.taskId
  const task =
    typeof taskId === 'string' && taskId.length <= MAX_TASK_ID ? gate.tasks.find(server.name, taskId) : undefined
  if (!task) {
    reply.answer(rpcError(id, RPC.invalidParams, 'UnknownTask'))
    return 'UnknownTask'
  }
  if (agent.era === 'modern' && !hasTasks(agent.capabilities)) {
    const data = { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } }
    const error = { code: RPC.missingCapability, message: 'The request does not say that its client has tasks.', data }
    reply.answer({ jsonrpc: '2.0', id, error })
    return String(RPC.missingCapability)
  }
  const known: TaskRequest = { ...request, task, taskId: taskId as string }
  switch (method) {
    case 'tasks/get':
      return pollTask(gate, known)
    case 'tasks/result':
      return fetchResult(gate, known)
    case 'tasks/cancel':
      return cancelTask(gate, known)
    default:
      return updateTask(gate, known)
  }
}
