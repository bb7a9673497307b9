import { RPC } from '../../../lib/api/mcp.ts'
import type { GateContext } from '../../context.ts'
import { rpcError } from '../messages.ts'
import { isLogLevel } from '../revision.ts'
import { askServer, type MethodRequest } from './ask-server.ts'
import { handleDecided } from './decided.ts'
import { handleList } from './list.ts'
import { LISTS } from './lists.ts'
import { refusal } from './refusal.ts'
import { handleTask } from './tasks.ts'

/** What the server answers as it is; of its params only what it is for goes up. */
const handlePlain = async (gate: GateContext, request: MethodRequest): Promise<string | undefined> => {
  const { message, reply } = request
  const { id, method, params } = message
  const level = params?.level
  if (method === 'logging/setLevel' && !isLogLevel(level)) {
    reply.answer(
      rpcError(id, RPC.invalidParams, 'MalformedRequest', { detail: 'params.level must be a level of logs' }),
    )
    return 'MalformedRequest'
  }
  const answer = await askServer(gate, request, method === 'logging/setLevel' ? { level: level! } : {})
  reply.answer(answer.raw)
  const { error } = answer.message as { error?: { code?: unknown } }
  return error === undefined ? undefined : String(error.code)
}

const handlerOf = (method: string) => {
  if (Object.hasOwn(LISTS, method)) return handleList
  if (method.startsWith('tasks/')) return handleTask
  return method === 'ping' || method === 'logging/setLevel' ? handlePlain : handleDecided
}

/** Answers a request of an agent that is no call of a tool, and that the gate does not answer itself. Returns the span's error word. */
export const handleMethod = async (gate: GateContext, request: MethodRequest): Promise<string | undefined> => {
  const { message, server, reply } = request
  try {
    return await handlerOf(message.method)(gate, request)
  } catch (error) {
    const told = refusal(error, { id: message.id, server: server.name, idleMs: gate.limits.idleMs })
    reply.answer(told.body, told.status)
    return told.error
  }
}
