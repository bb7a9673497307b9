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

/** How long what was given up has to be written down, as the gate closes. */
const WRITING_MS = 1_000

/** Requests whatever era they came in. `close` resolves when none is under way; those that take longer than `graceMs` are given up. */
export const createServe = (
  gate: GateContext,
  inFlight: InFlight,
): { serve: Serve; close: (graceMs: number) => Promise<void> } => {
  const handleCall = createCallHandler(gate)
  const underWay = new Set<(reason: UpstreamFailure) => void>()
  let whenIdle: (() => void) | undefined

  const serve: Serve = async ({ inForce, name, server, message, agent, reply, traceparent }) => {
    const { id, method, params } = message
    const refuse = (detail: string) =>
      reply.answer(rpcError(id, RPC.invalidParams, 'MalformedRequest', { detail }), 200)
    const limit = within(gate.limits.callMs)
    underWay.add(limit.abort)
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
      underWay.delete(limit.abort)
      if (underWay.size === 0) whenIdle?.()
    }
  }
  return {
    serve,
    close: async (graceMs) => {
      if (underWay.size === 0) return
      const late = setTimeout(() => {
        for (const abort of underWay) abort(new UpstreamFailure('cancelled', 'the gate closes', true))
      }, graceMs)
      const limit = setTimeout(() => whenIdle?.(), graceMs + WRITING_MS)
      await new Promise<void>((resolve) => {
        whenIdle = resolve
      })
      clearTimeout(late)
      clearTimeout(limit)
    },
  }
}
