import type { Span } from '@opentelemetry/api'
import { type RequestId, RPC } from '../../lib/api/mcp.ts'
import type { CallRecord } from '../../lib/api/receipt.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { GateContext } from '../context.ts'
import { intentBody, statedBy, toolRecord } from '../receipts.ts'
import { redactionsIn } from '../redactions.ts'
import { ATTR, traceparentOf } from '../telemetry.ts'
import { createDecider, type DecidedCall } from './decide-call.ts'
import { dispatch } from './dispatch.ts'
import { draftAnswer } from './draft.ts'
import { SessionGone } from './forward.ts'
import { META_REASON, META_TASK, rpcError, toolError } from './messages.ts'
import { createObjectRecord } from './object-record.ts'
import type { Agent, ServerPort } from './ports.ts'
import { begin, finish, type Ruling } from './recorded.ts'
import type { Reply } from './reply.ts'

/** One `tools/call` of the agent, on its way. */
export interface ToolRequest {
  /** As addressed; the remit may not have it. */
  server: string
  /** Who calls, and how the server is reached; undefined when the remit had no such server as the call came. */
  agent: Agent | undefined
  port: ServerPort | undefined
  id: RequestId
  params: JsonObject
  span: Span
  reply: Reply
  /** Aborted when the agent gives the call up or the time is over. */
  signal: AbortSignal
}

/** A decided call with what its receipts say of it. */
type RuledCall = DecidedCall & Ruling & { call: Extract<CallRecord, { type: 'tool' }> }

/**
 * The tool calls of the gate: decides, records, forwards, records, answers, in this order, and each only when the one
 * before is on disk. Answers every call; what it throws is our own mistake. Returns the span's error word.
 */
export const createCallHandler = (gate: GateContext) => {
  const decideCall = createDecider(gate)
  const objects = createObjectRecord(gate.commitments)

  return async (request: ToolRequest): Promise<string | undefined> => {
    const { span, reply, id, params, server: name, agent, port, signal } = request
    const tool = String(params.name)
    const args = params.arguments ?? {}
    const meta = isObject(params._meta) ? params._meta : {}
    const stated = statedBy(meta[META_TASK], meta[META_REASON])
    const { traceId, spanId } = span.spanContext()
    const trace = { traceId, spanId }
    const labels = { [ATTR.server]: gate.authority.current()?.prepared.servers.has(name) ? name : '_OTHER' }

    const decide = async (): Promise<RuledCall> => {
      const asked = { server: name, agent, port, tool, arguments: args, traceparent: traceparentOf(span), signal }
      const decided = await decideCall(asked)
      const { assessment, inForce } = decided
      const redactions = redactionsIn(inForce, name, tool, assessment.class)
      const call = toolRecord(name, tool, args, assessment, redactions.arguments, {
        commit: gate.commitments.at({ trace, part: 'arguments' }),
        digest: (text) => gate.commitments.digest({ trace, part: 'arguments' }, text),
      })
      return { ...decided, decision: assessment.decision, call }
    }
    const begun = await begin(gate, {
      span,
      labels,
      decide,
      intent: (ruling, began) =>
        intentBody(ruling.inForce, ruling.call, ruling.decision, trace, stated, began, objects.before(ruling, trace)),
    }).catch((error: unknown) => {
      if (error instanceof SessionGone) return undefined
      throw error
    })
    if (!begun) {
      reply.answer(rpcError(id, RPC.session, 'UnknownSession'), 404)
      return 'session'
    }
    if (begun.is === 'unrecorded') {
      reply.answer(toolError(id, begun))
      return begun.code
    }
    const { ruling, intent } = begun
    reply.receipt(intent)
    if (begun.is === 'refused') {
      const { effect, reason } = ruling.decision
      const told = { code: begun.code, message: reason, receipt: intent }
      reply.answer(effect === 'Draft' ? draftAnswer(id, ruling.call, intent) : toolError(id, told))
      return begun.code
    }
    const { inForce, assessment } = ruling
    const ended = await finish(
      gate,
      begun,
      { ...labels, [ATTR.tool]: tool },
      () =>
        dispatch(gate, {
          ...request,
          server: inForce.remit.servers.find((declared) => declared.name === name)!,
          agent: agent!,
          port: port!,
          inForce,
          redactions: redactionsIn(inForce, name, tool, assessment.class),
          commit: gate.commitments.at({ trace, part: 'result' }),
        }),
      async ({ outcome, task, came }) => {
        if (task !== undefined) gate.tasks.add(name, task, { tool, class: assessment.class, intent, came })
        const changed = outcome.outcome === 'ok' ? await objects.changed(ruling, trace) : undefined
        return changed ? { changed } : {}
      },
    )
    if (ended.is === 'lost') {
      reply.answer(toolError(id, { ...ended, receipt: intent }))
      return ended.code
    }
    const { finished } = ended
    if (finished.outcome.outcome === 'cancelled') reply.none()
    else reply.answer(finished.answer(intent), finished.status)
    return finished.error
  }
}
