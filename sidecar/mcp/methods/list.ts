import { RPC } from '../../../lib/api/mcp.ts'
import { offersAny } from '../../../lib/core/decide-other.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Json } from '../../../lib/core/strict.ts'
import type { GateContext } from '../../context.ts'
import { definitionsMatter } from '../definitions.ts'
import { rpcError } from '../messages.ts'
import { asLegacyTool } from '../render.ts'
import { askServer, type MethodRequest } from './ask-server.ts'
import { cursorProblem } from './cursors.ts'
import { filterList, LISTS } from './lists.ts'

/** Passes on one page of a list, with what the remit lets the agent see. Returns the span's error word. */
export const handleList = async (gate: GateContext, request: MethodRequest): Promise<string | undefined> => {
  const { message, server, reply } = request
  const { id, method, params } = message
  const { type } = LISTS[method]!
  const cursor = params?.cursor
  if (type !== undefined && !offersAny(request.inForce.prepared, type, server.name)) {
    reply.answer(rpcError(id, RPC.methodNotFound, 'UnknownMethod', { method }))
    return 'UnknownMethod'
  }
  const problem = cursorProblem(gate.cursors, server, method, cursor)
  if (problem !== undefined) {
    reply.answer(rpcError(id, RPC.invalidParams, 'MalformedRequest', { detail: problem }))
    return 'MalformedRequest'
  }
  const asked = gate.definitions.moment(server)
  const answer = await askServer(gate, request, cursor === undefined ? {} : { cursor })
  const { result } = answer.message
  if (!isObject(result)) {
    reply.answer(answer.raw)
    return String(isObject(answer.message.error) ? answer.message.error.code : '')
  }
  // By the remit of this moment: while the server answered, another may have come.
  const { prepared } = gate.authority.current() ?? request.inForce
  const filtered = await filterList(prepared, server.name, method, result)
  if (filtered === undefined) {
    reply.answer(rpcError(id, RPC.internal, 'UpstreamInvalid', { server: server.name, detail: 'the list is not one' }))
    return 'invalid'
  }
  if (method === 'tools/list' && definitionsMatter(prepared, server.name))
    gate.definitions.learn(server, result.tools as Json[], asked)
  if (typeof filtered.nextCursor === 'string') gate.cursors.given(server, method, filtered.nextCursor)
  const told =
    method === 'tools/list' && request.agent.era === 'legacy'
      ? { ...filtered, tools: (filtered.tools as JsonObject[]).map((tool) => asLegacyTool(tool, request.agent)) }
      : filtered
  reply.answer({ ...answer.message, result: told })
  return undefined
}
