import type { Span } from '@opentelemetry/api'
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

/** Carries out a request of an agent's, until it is answered, given up or takes too long. */
export type Serve = (arrival: Arrival) => Promise<void>

/** Requests whatever era they came in. */
export const createServe = (gate: GateContext, inFlight: InFlight): Serve => {
  const handleCall = createCallHandler(gate)

  return async ({ inForce, name, server, message, agent, reply, traceparent }) => {
    const { id, method, params } = message
    const sessionId = agent?.session?.id
    const isCall = method === 'tools/call'
    const problem =
      isCall &&
      (callProblem(params, agent) ??
        (sessionId !== undefined && inFlight.has(sessionId, id) && 'a call with this id is on its way already'))
    if (problem) return reply.answer(rpcError(id, RPC.invalidParams, 'MalformedRequest', { detail: problem }), 200)
    const port = server && agent ? gate.ports.forAgent(server, agent) : undefined
    const limit = within(gate.limits.callMs)
    const { signal } = limit
    const over = inFlight.add(sessionId, id, limit.abort)
    reply.whenGone(() => limit.abort(new UpstreamFailure('cancelled', 'the agent went away', true)))
    const work = async (span: Span): Promise<string | undefined> => {
      if (isCall) return handleCall({ server: name, agent, port, id, params: params!, span, reply, signal })
      if (!server || !agent || !port) throw new Error('a request that is no call has no server')
      return handleMethod(gate, { inForce, server, agent, port, message, reply, span, signal })
    }
    const about = { agent, traceparent, ...(isCall ? { tool: String(params!.name) } : {}) }
    try {
      await traced(gate, message, about, work)
    } finally {
      over()
      limit.done()
    }
  }
}
