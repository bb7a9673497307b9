import type { Attributes, Span } from '@opentelemetry/api'
import { RPC } from '../../../lib/api/mcp.ts'
import type { IntentBody, OtherCallRecord } from '../../../lib/api/receipt.ts'
import type { Step as PathStep } from '../../../lib/core/path.ts'
import type { Json } from '../../../lib/core/strict.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { intentBody, otherRecord } from '../../receipts.ts'
import { ATTR } from '../../telemetry.ts'
import { requestError } from '../messages.ts'
import type { Finished } from '../outcome.ts'
import { type Begun, begin, finish, type Ruling } from '../recorded.ts'
import type { MethodRequest } from './ask-server.ts'

/** What is no call of a tool, to be decided and recorded. */
export interface OtherStep {
  span: Span
  server: string
  method: string
  about: Pick<OtherCallRecord, 'type' | 'name' | 'intent'>
  /** What is decided, and recorded but for what stands at these paths. */
  args: Json
  hidden: (inForce: InForce) => PathStep[][]
  decide: () => Ruling
  stated?: IntentBody['stated']
}

/** Of the receipts and commitments of what goes on in a span. */
export const traceOf = (span: Span): NonNullable<IntentBody['trace']> => {
  const { traceId, spanId } = span.spanContext()
  return { traceId, spanId }
}

const labelsOf = ({ server, method }: Pick<OtherStep, 'server' | 'method'>): Attributes => ({
  [ATTR.server]: server,
  [ATTR.method]: method,
})

export const beginOther = (gate: GateContext, step: OtherStep): Promise<Begun<Ruling>> => {
  const { span, server, method, about, args } = step
  const trace = traceOf(span)
  const place = { trace, part: 'arguments' as const }
  return begin(gate, {
    span,
    labels: labelsOf(step),
    decide: async () => step.decide(),
    intent: ({ inForce, decision }, began) => {
      const record = otherRecord({ ...about, server, method }, args, step.hidden(inForce), {
        commit: gate.commitments.at(place),
        digest: (text) => gate.commitments.digest(place, text),
      })
      return intentBody(inForce, record, decision, trace, step.stated, began)
    },
  })
}

/** A request of the agent from its decision to its answer, which it gets in every case. Returns the span's error word. */
export const carryOut = async (
  gate: GateContext,
  { reply, message: { id } }: Pick<MethodRequest, 'reply' | 'message'>,
  step: OtherStep,
  make: () => Promise<Finished>,
): Promise<string | undefined> => {
  const begun = await beginOther(gate, step)
  if (begun.is === 'unrecorded') {
    reply.answer(requestError(RPC.internal)(id, begun))
    return begun.code
  }
  const { intent } = begun
  reply.receipt(intent)
  if (begun.is === 'refused') {
    const told = { code: begun.code, message: begun.ruling.decision.reason, receipt: intent }
    reply.answer(requestError(RPC.invalidParams)(id, told))
    return begun.code
  }
  const ended = await finish(gate, begun, labelsOf(step), make)
  if (ended.is === 'lost') {
    reply.answer(requestError(RPC.internal)(id, { ...ended, receipt: intent }))
    return ended.code
  }
  const { finished } = ended
  if (finished.outcome.outcome === 'cancelled') reply.none()
  else reply.answer(finished.answer(intent), finished.status)
  return finished.error
}
