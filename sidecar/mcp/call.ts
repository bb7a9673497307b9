import type { Span } from '@opentelemetry/api'
import type { DecisionRecord } from '../../lib/api/receipt.ts'
import { receiptName } from '../../lib/api/receipt.ts'
import { describe, UserError } from '../../lib/core/errors.ts'
import type { GateContext } from '../context.ts'
import { intentBody, statedBy, toolRecord } from '../receipts.ts'
import { redactionsIn } from '../redactions.ts'
import { ATTR, traceparentOf } from '../telemetry.ts'
import { createDecider } from './decide-call.ts'
import { dispatch } from './dispatch.ts'
import { draftAnswer } from './draft.ts'
import { SessionGone } from './forward.ts'
import {
  isObject,
  type JsonObject,
  META_REASON,
  META_TASK,
  type RequestId,
  RPC,
  rpcError,
  toolError,
} from './messages.ts'
import { createObjectRecord } from './object-record.ts'
import type { Reply } from './reply.ts'
import type { Session } from './sessions.ts'

/** One `tools/call` of the agent, on its way. */
export interface ToolRequest {
  /** As addressed; the remit may not have it. */
  server: string
  session?: Session | undefined
  id: RequestId
  raw: JsonObject
  params: JsonObject
  span: Span
  reply: Reply
  /** Aborted when the agent gives the call up or the time is over. */
  signal: AbortSignal
}

const OVERTAKEN = 'Another remit came before the call left; it was not made, and decided again.'

/** Lets pass that something could not be recorded now: the spool keeps it, and the next intent tells. */
const unlessOurs = (error: unknown): void => {
  if (!(error instanceof UserError)) throw error
}

const decisionAttributes = (decision: DecisionRecord, receipt: string) => ({
  [ATTR.effect]: decision.effect,
  [ATTR.receipt]: receipt,
  ...(decision.code ? { [ATTR.code]: decision.code } : {}),
  ...(decision.rule ? { [ATTR.rule]: decision.rule } : {}),
  ...(decision.policy ? { [ATTR.policy]: decision.policy } : {}),
  ...(decision.observed ? { [ATTR.observed]: decision.observed.effect } : {}),
})

/**
 * The tool calls of the gate: decides, records, forwards, records, answers, in this order, and each only when the one
 * before is on disk. Answers every call; what it throws is our own mistake. Returns the span's error word.
 */
export const createCallHandler = (gate: GateContext) => {
  const decideCall = createDecider(gate)
  const objects = createObjectRecord(gate.commitments)
  const { instruments } = gate.telemetry

  const handle = async (request: ToolRequest): Promise<string | undefined> => {
    const { span, reply, id, params, server: name, session, signal } = request
    const tool = String(params.name)
    const args = params.arguments ?? {}
    const meta = isObject(params._meta) ? params._meta : {}
    const began = gate.now()
    const decided = await decideCall({
      server: name,
      session,
      tool,
      arguments: args,
      traceparent: traceparentOf(span),
      signal,
    }).catch((error: unknown) => {
      if (error instanceof SessionGone) return undefined
      throw error
    })
    if (!decided) {
      reply.answer(rpcError(id, RPC.session, 'UnknownSession'), 404)
      return 'session'
    }
    const { inForce, assessment } = decided
    const { decision } = assessment
    const server = inForce.remit.servers.find((declared) => declared.name === name)
    const labels = { [ATTR.server]: server ? name : '_OTHER', [ATTR.effect]: decision.effect }
    const { traceId, spanId } = span.spanContext()
    const trace = { traceId, spanId }
    const redactions = redactionsIn(inForce, name, tool, assessment.class)
    const call = toolRecord(name, tool, args, assessment, redactions.arguments, {
      commit: gate.commitments.at({ trace, part: 'arguments' }),
      digest: (text) => gate.commitments.digest({ trace, part: 'arguments' }, text),
    })

    let intent: string
    try {
      const stated = statedBy(meta[META_TASK], meta[META_REASON])
      const body = intentBody(inForce, call, decision, trace, stated, began, objects.before(decided, trace))
      intent = receiptName(await gate.record(body))
    } catch (error) {
      gate.history.forget(decided.id)
      if (!(error instanceof UserError)) throw error
      instruments.denials.add(1, { ...labels, [ATTR.code]: error.code })
      reply.answer(toolError(id, { code: error.code, message: error.message }))
      return error.code
    }
    gate.history.recorded(decided.id, intent)
    instruments.record.record((gate.now() - began) / 1000)
    span.setAttributes(decisionAttributes(decision, intent))
    reply.header('remit-receipt', intent)
    if (decision.effect !== 'Allow' || !server) {
      gate.history.closed(decided.id)
      await gate.history.escalate()
      const code = decision.code ?? 'NoRuleAllows'
      instruments.denials.add(1, { ...labels, [ATTR.code]: code })
      reply.answer(
        decision.effect === 'Draft'
          ? draftAnswer(id, call, intent)
          : toolError(id, { code, message: decision.reason, receipt: intent }),
      )
      return code
    }

    // Disks can be slow: a call that was allowed while its intent was written must still be allowed when it leaves.
    if (gate.authority.current() !== inForce) {
      gate.history.ended(decided.id, 'error')
      const durationMs = gate.now() - began
      await gate.record({ kind: 'result', intent, outcome: 'error', durationMs, text: OVERTAKEN }).catch(unlessOurs)
      gate.history.closed(decided.id)
      return handle(request)
    }
    try {
      const finished = await dispatch(gate, {
        ...request,
        server,
        session,
        redactions,
        commit: gate.commitments.at({ trace, part: 'result' }),
      })
      const { outcome } = finished
      gate.history.ended(decided.id, outcome.outcome)
      instruments.calls.add(1, { ...labels, [ATTR.tool]: tool, [ATTR.outcome]: outcome.outcome })
      const changed = outcome.outcome === 'ok' ? await objects.changed(decided, trace) : undefined
      try {
        const durationMs = gate.now() - began
        await gate.record({ kind: 'result', intent, durationMs, ...outcome, ...(changed ? { changed } : {}) })
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        const { code, message } = describe('ResultNotRecorded', { detail: String(error.values.detail) })
        reply.answer(toolError(id, { code, message, receipt: intent }))
        return code
      }
      await gate.history.escalate()
      if (outcome.outcome === 'cancelled') reply.none()
      else reply.answer(finished.answer(intent), finished.status)
      return finished.error
    } finally {
      gate.history.closed(decided.id)
    }
  }
  return handle
}
