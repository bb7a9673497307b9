import type { Span } from '@opentelemetry/api'
import type { DecisionRecord, ResultBody } from '../../lib/api/receipt.ts'
import { receiptName } from '../../lib/api/receipt.ts'
import type { RemitServer } from '../../lib/api/remit.ts'
import { sha256hex } from '../../lib/core/canonical.ts'
import { decide } from '../../lib/core/decide.ts'
import { describe, type ErrorCode, UserError } from '../../lib/core/errors.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { clip, firstText, intentBody, statedBy, toolRecord } from '../receipts.ts'
import { ATTR, below, endSpan, SpanKind, startSpan, traceparentOf } from '../telemetry.ts'
import { UpstreamFailure } from '../upstream.ts'
import type { ServerMessage } from './answer.ts'
import { exchange, FAILURE_CODES, notify, type Outgoing, SessionGone, serverMessages } from './forward.ts'
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
import type { Reply } from './reply.ts'
import type { Session } from './sessions.ts'

/** One `tools/call` of the agent, on its way. */
export interface ToolRequest {
  inForce: InForce
  /** As addressed; `declared` when the remit has it. */
  serverName: string
  declared?: RemitServer | undefined
  session?: Session | undefined
  id: RequestId
  raw: JsonObject
  params: JsonObject
  span: Span
  reply: Reply
  /** Aborted when the agent gives the call up or the time is over. */
  signal: AbortSignal
}

type Outcome = Pick<ResultBody, 'outcome'> & Partial<ResultBody>
interface Finished {
  outcome: Outcome
  answer: (receipt: string) => string | JsonObject
  status?: number
  error?: string
}

/** `params` as forwarded: our trace, and without what the agent told only the gate. */
const forwarded = (request: ToolRequest, args: Json, traceparent: string): Buffer => {
  const { _meta, ...params } = request.params
  const { [META_TASK]: _task, [META_REASON]: _reason, tracestate: _state, ...meta } = isObject(_meta) ? _meta : {}
  return Buffer.from(
    JSON.stringify({ ...request.raw, params: { ...params, arguments: args, _meta: { ...meta, traceparent } } }),
  )
}

const failed = (request: ToolRequest, error: unknown, idleMs: number): Finished => {
  const { serverName: server, id } = request
  const told = (code: ErrorCode, message: string) => (receipt: string) => toolError(id, { code, message, receipt })
  if (error instanceof SessionGone)
    return {
      outcome: { outcome: 'error', text: 'The server does not know the session; the call was not made.' },
      answer: () => rpcError(id, RPC.session, 'UnknownSession'),
      status: 404,
      error: 'session',
    }
  if (error instanceof UserError)
    return {
      outcome: { outcome: 'unreachable', text: error.message },
      answer: told(error.code, error.message),
      error: error.code,
    }
  if (!(error instanceof UpstreamFailure)) throw error
  const code = FAILURE_CODES[error.kind]
  const { message, remedy } = describe(code, { server, detail: error.message, seconds: idleMs / 1000 })
  const unsure = error.kind === 'unreachable' && error.sent ? ' Whether the call took effect is unknown.' : ''
  const advice = error.kind === 'timeout' || error.kind === 'invalid' ? ` ${remedy}` : unsure
  return {
    outcome: { outcome: error.kind, text: clip(message + unsure, 1_000) },
    answer: told(code, message + advice),
    error: error.kind,
  }
}

const succeeded = ({ message, raw }: ServerMessage): Finished => {
  const result = message.result as JsonObject | undefined
  const rejected = message.error as { code?: unknown; message?: unknown } | undefined
  const text = rejected ? clip(String(rejected.message ?? ''), 1_000) : firstText(result)
  const isError = rejected !== undefined || result?.isError === true
  return {
    outcome: {
      outcome: isError ? 'error' : 'ok',
      resultDigest: sha256hex(raw),
      resultBytes: Buffer.byteLength(raw),
      ...(text === undefined ? {} : { text }),
    },
    answer: () => raw,
    ...(isError ? { error: rejected ? String(rejected.code) : 'tool_error' } : {}),
  }
}

const dispatch = async (
  gate: GateContext,
  request: ToolRequest,
  server: RemitServer,
  args: Json,
): Promise<Finished> => {
  const { id, session, span, reply } = request
  const tool = String(request.params.name)
  const client = startSpan(
    gate.telemetry.tracer,
    `tools/call ${tool}`,
    SpanKind.CLIENT,
    {
      [ATTR.method]: 'tools/call',
      [ATTR.tool]: tool,
      [ATTR.operation]: 'execute_tool',
      [ATTR.requestId]: String(id),
      [ATTR.transport]: 'tcp',
      [ATTR.serverAddress]: new URL(server.url).hostname,
      [ATTR.server]: server.name,
    },
    below(span),
  )
  const traceparent = traceparentOf(client)
  const out: Outgoing = {
    server,
    session,
    traceparent,
    body: forwarded(request, args, traceparent),
    signal: request.signal,
  }
  const began = gate.now()
  let finished: Finished
  try {
    finished = succeeded(await exchange(gate, out, id, serverMessages(gate, out, reply.message)))
  } catch (error) {
    finished = failed(request, error, gate.limits.idleMs)
    if (error instanceof UpstreamFailure && error.sent && error.kind !== 'invalid')
      notify(
        gate,
        { server, session },
        {
          jsonrpc: '2.0',
          method: 'notifications/cancelled',
          params: { requestId: id, reason: 'The client does not wait any more.' },
        },
      ).catch(() => gate.log.debug({ server: server.name }, 'the server could not be told of a cancellation'))
  }
  endSpan(client, { [ATTR.outcome]: finished.outcome.outcome }, finished.error)
  gate.telemetry.instruments.client.record((gate.now() - began) / 1000, {
    [ATTR.method]: 'tools/call',
    [ATTR.server]: server.name,
    [ATTR.tool]: tool,
    ...(finished.error ? { [ATTR.error]: finished.error } : {}),
  })
  return finished
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
 * Decides, records, forwards, records, answers: in this order, and each only when the one before is on disk. Answers
 * every call; what it throws is our own mistake. Returns the span's error word.
 */
export const handleCall = async (gate: GateContext, request: ToolRequest): Promise<string | undefined> => {
  const { inForce, span, reply, id, params, serverName: server } = request
  const { instruments } = gate.telemetry
  const tool = String(params.name)
  const args = params.arguments ?? {}
  const text = JSON.stringify(args)
  const meta = isObject(params._meta) ? params._meta : {}
  const began = gate.now()
  const decision = decide(inForce.prepared, { server, tool, arguments: args }, {}, began)
  const labels = { [ATTR.server]: request.declared ? server : '_OTHER', [ATTR.effect]: decision.effect }

  let intent: string
  try {
    const body = intentBody(
      inForce,
      toolRecord(server, tool, args, text),
      decision,
      span,
      statedBy(meta[META_TASK], meta[META_REASON]),
      began,
    )
    intent = receiptName(await gate.record(body))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    instruments.denials.add(1, { ...labels, [ATTR.code]: error.code })
    reply.answer(toolError(id, { code: error.code, message: error.message }))
    return error.code
  }
  instruments.record.record((gate.now() - began) / 1000)
  span.setAttributes(decisionAttributes(decision, intent))
  reply.header('remit-receipt', intent)
  if (decision.effect !== 'Allow' || !request.declared) {
    const code = decision.code ?? 'NoRuleAllows'
    instruments.denials.add(1, { ...labels, [ATTR.code]: code })
    reply.answer(toolError(id, { code, message: decision.reason, receipt: intent }))
    return code
  }

  const finished = await dispatch(gate, request, request.declared, args)
  const { outcome } = finished
  instruments.calls.add(1, { ...labels, [ATTR.tool]: tool, [ATTR.outcome]: outcome.outcome })
  try {
    await gate.record({ kind: 'result', intent, durationMs: gate.now() - began, ...outcome })
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const { code, message } = describe('ResultNotRecorded', { detail: String(error.values.detail) })
    reply.answer(toolError(id, { code, message, receipt: intent }))
    return code
  }
  if (outcome.outcome === 'cancelled') reply.none()
  else reply.answer(finished.answer(intent), finished.status)
  return finished.error
}
