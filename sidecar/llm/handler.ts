import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { DecisionRecord } from '../../lib/api/receipt.ts'
import { receiptName } from '../../lib/api/receipt.ts'
import type { RemitModel } from '../../lib/api/remit.ts'
import { sha256hex } from '../../lib/core/canonical.ts'
import { describe, type ErrorCode, UserError } from '../../lib/core/errors.ts'
import { fallen } from '../../lib/core/standing.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { within } from '../mcp/forward.ts'
import { RECEIPT_HEADER } from '../mcp/reply.ts'
import { intentBody } from '../receipts.ts'
import { targetOf } from '../target.ts'
import { UpstreamFailure } from '../upstream.ts'
import { readModelRequest } from './arrival.ts'
import { askedOf } from './asked.ts'
import { refusing } from './refusal.ts'
import { type Streamed, stream } from './stream.ts'
import { traceModelCall } from './traced.ts'

/** Of the agent's request: what the model's API needs and no more, so never a credential or a cookie. */
const REQUEST_HEADERS = [
  'content-type',
  'accept',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
  'idempotency-key',
]

/** Whether the agent may use a declared model now; rules are about tools, but a frozen agent does not think either. */
const decideModel = (gate: GateContext, { prepared }: InForce, model: RemitModel, now: number): DecisionRecord =>
  fallen(prepared, now) ??
  gate.history.frozen() ?? { effect: 'Allow', reason: `The remit declares the model ${model.name}.` }

/** The models' side of the gate: `/llm/<name>/...` goes to the declared URL with the declared credential. */
export const createModelHandler =
  (gate: GateContext) =>
  async (
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    rest: string,
    query: string,
  ): Promise<void> => {
    const read = await readModelRequest(gate, request, response, { name, rest, query })
    if (!read) return
    const { inForce, model, method, url, path, body } = read
    const refuse = refusing(response)
    const asked = askedOf(body, request.headers)
    const began = gate.now()
    const decision = decideModel(gate, inForce, model, began)
    const { effect } = decision
    const traced = traceModelCall(gate, { model, method, url, asked, effect, traceparent: request.headers.traceparent })
    const { traceId, spanId } = traced.span.spanContext()
    const finish = async (intent: string, status: number, result: Streamed) => {
      traced.finish(intent, status, result)
      await gate.record({
        kind: 'result',
        intent,
        outcome: result.outcome,
        durationMs: gate.now() - began,
        resultBytes: result.bytes,
        model: { ...result.usage, status },
      })
    }

    const limit = within(gate.limits.callMs)
    response.once('close', () => {
      if (!response.writableFinished) limit.abort(new UpstreamFailure('cancelled', 'the agent went away', true))
    })
    let intent: string | undefined
    try {
      const call = {
        type: 'model',
        model: name,
        method,
        path,
        requestDigest: sha256hex(body),
        requestBytes: body.length,
        ...(asked.model ? { requestedModel: asked.model } : {}),
      } as const
      intent = receiptName(
        await gate.record(intentBody(inForce, call, decision, { traceId, spanId }, undefined, began)),
      )
      if (decision.effect !== 'Allow') {
        const code = (decision.code ?? 'NoRuleAllows') as ErrorCode
        traced.denied(code, intent)
        return refuse(403, model.api, code, decision.reason, intent)
      }
      const target = { ...targetOf('model', model, gate.credentials), url }
      const sent = traced.send()
      const headers: OutgoingHttpHeaders = { traceparent: sent.traceparent, 'accept-encoding': 'identity' }
      for (const header of REQUEST_HEADERS)
        if (request.headers[header] !== undefined) headers[header] = request.headers[header]
      const { idleMs } = gate.limits
      const out = { method, headers, ...(method === 'POST' ? { body } : {}), signal: limit.signal, idleMs }
      const upstream = await gate.send(target, out).catch((error: unknown) => {
        sent.end(undefined, error instanceof UpstreamFailure ? error.kind : '_OTHER')
        throw error
      })
      response.setHeader(RECEIPT_HEADER, intent)
      const result = await stream(upstream, response)
      sent.end(upstream.statusCode, result.error)
      await finish(intent, upstream.statusCode ?? 0, result)
      if (result.outcome === 'ok' || result.outcome === 'error') response.end()
      else response.destroy()
    } catch (error) {
      if (error instanceof UpstreamFailure && intent) {
        await finish(intent, 0, { outcome: error.kind, usage: {}, bytes: 0, error: error.kind })
        const code = error.kind === 'timeout' ? 'UpstreamTimeout' : 'UpstreamUnreachable'
        return refuse(
          error.kind === 'timeout' ? 504 : 502,
          model.api,
          code,
          describe(code, { server: name, detail: error.message, seconds: gate.limits.idleMs / 1000 }).message,
          intent,
        )
      }
      if (!(error instanceof UserError)) throw error
      if (!intent) traced.denied(error.code)
      else if (error.code === 'CredentialMissing')
        await finish(intent, 0, { outcome: 'unreachable', usage: {}, bytes: 0, error: error.code })
      refuse(503, model.api, error.code, error.message, intent)
    } finally {
      limit.done()
    }
  }
