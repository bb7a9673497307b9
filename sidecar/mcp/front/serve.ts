import { RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import type { JsonObject } from '../../../lib/core/json-rpc.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { createCallHandler } from '../call.ts'
import { within } from '../forward.ts'
import type { InFlight } from '../in-flight.ts'
import { type Message, rpcError } from '../messages.ts'
import { taskProblem } from '../methods/begun-task.ts'
import { handleMethod } from '../methods/handle.ts'
import type { Agent } from '../ports.ts'
import type { Reply } from '../reply.ts'
import { traced } from '../traced.ts'

/** A request of an agent's that its era's front has read. */
export interface Arrival {
  inForce: InForce
  /** As addressed. */
  name: string
  /** Undefined when the remit has no such server: then it is a call of a tool. */
  server: RemitServer | undefined
  message: Extract<Message, { kind: 'request' }>
  /** Undefined when there is no server the agent could have a session with. */
  agent: Agent | undefined
  reply: Reply
  /** The request's own header. */
  traceparent: string | undefined
}

/** What makes `params` no call of a tool, as a phrase. */
const callProblem = (params: JsonObject | undefined, agent: Agent | undefined): string | undefined => {
  const args = params?.arguments
  if (typeof params?.name !== 'string' || !params.name || params.name.length > 256)
    return 'params.name must be the name of a tool'
  if (args !== undefined && (typeof args !== 'object' || args === null || Array.isArray(args)))
    return 'params.arguments must be an object'
  return agent && taskProblem(agent, params.task)
}

/** Carries out requests whatever era they came in: until they are answered, given up or take too long. */
export const createServe = (gate: GateContext, inFlight: InFlight) => {
  const handleCall = createCallHandler(gate)

  return async ({ inForce, name, server, message, agent, reply, traceparent }: Arrival): Promise<void> => {
    const { id, method, params } = message
    const refuse = (detail: string) =>
      reply.answer(rpcError(id, RPC.invalidParams, 'MalformedRequest', { detail }), 200)
    const limit = within(gate.limits.callMs)
    reply.whenGone(() => limit.abort(new UpstreamFailure('cancelled', 'the agent went away', true)))
    const sessionId = agent?.session?.id
    const about = { agent, traceparent }
    try {
      const port = server && agent ? gate.ports.forAgent(server, agent) : undefined
      if (method !== 'tools/call') {
        if (!server || !agent || !port) throw new Error('a request that is no call has no server')
        if (sessionId !== undefined) inFlight.add(sessionId, id, limit.abort)
        await traced(gate, message, about, (span) =>
          handleMethod(gate, { inForce, server, agent, port, message, reply, span, signal: limit.signal }),
        )
        return
      }
      const problem =
        callProblem(params, agent) ??
        (sessionId !== undefined && inFlight.has(sessionId, id)
          ? 'a call with this id is on its way already'
          : undefined)
      if (problem) return refuse(problem)
      if (sessionId !== undefined) inFlight.add(sessionId, id, limit.abort)
      await traced(gate, message, { ...about, tool: String(params!.name) }, (span) =>
        handleCall({
          server: name,
          agent,
          port,
          id,
          raw: message.raw,
          params: params!,
          span,
          reply,
          signal: limit.signal,
        }),
      )
    } finally {
      if (sessionId !== undefined) inFlight.remove(sessionId, id, limit.abort)
      limit.done()
    }
  }
}
