import type { Span } from '@opentelemetry/api'
import type { GateContext } from '../context.ts'
import { ATTR, endSpan, parentContext, SpanKind, startSpan } from '../telemetry.ts'
import type { JsonObject, Message } from './messages.ts'
import { type Session, sessionLabel } from './sessions.ts'

/** Does the work of one request in a server span, below the agent's own where it names one. */
export const traced = async (
  gate: GateContext,
  message: Extract<Message, { kind: 'request' }>,
  about: {
    known: { id: string; session: Session } | undefined
    /** The request's traceparent header; the one in `_meta` goes before it. */
    traceparent: string | undefined
    tool?: string
  },
  work: (span: Span) => Promise<string | undefined>,
): Promise<void> => {
  const { known, tool } = about
  const began = gate.now()
  const meta = message.params?._meta as JsonObject | undefined
  const span = startSpan(
    gate.telemetry.tracer,
    tool ? `${message.method} ${tool}` : message.method,
    SpanKind.SERVER,
    {
      [ATTR.method]: message.method,
      ...(tool ? { [ATTR.tool]: tool, [ATTR.operation]: 'execute_tool' } : {}),
      [ATTR.requestId]: String(message.id),
      [ATTR.transport]: 'tcp',
      ...(known ? { [ATTR.session]: sessionLabel(known.id), [ATTR.protocol]: known.session.version } : {}),
    },
    parentContext(meta?.traceparent, about.traceparent),
  )
  let error: string | undefined = '_OTHER'
  try {
    error = await work(span)
  } finally {
    endSpan(span, {}, error)
    gate.telemetry.instruments.server.record((gate.now() - began) / 1000, {
      [ATTR.method]: message.method,
      ...(error ? { [ATTR.error]: error } : {}),
    })
  }
}
