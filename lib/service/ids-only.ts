import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { RandomIdGenerator } from '@opentelemetry/sdk-trace'

const ids = new RandomIdGenerator()

/**
 * `tracer`, but what `startSpan` gives holds nothing besides its ids: for a process that exports no spans, where
 * receipts and servers are told of the trace all the same. Trace id and flags are the parent's; a new trace is sampled,
 * so that servers behind keep their own records of it.
 */
export const idsOnly = (tracer: Tracer): Tracer => ({
  startSpan: (_name: string, options: SpanOptions = {}, context: Context = ROOT_CONTEXT): Span => {
    const parent = options.root ? undefined : trace.getSpanContext(context)
    return trace.wrapSpanContext({
      traceId: parent?.traceId ?? ids.generateTraceId(),
      spanId: ids.generateSpanId(),
      traceFlags: parent?.traceFlags ?? TraceFlags.SAMPLED,
    })
  },
  startActiveSpan: tracer.startActiveSpan.bind(tracer),
})
