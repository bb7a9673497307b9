import {
  type Attributes,
  type Context,
  type Meter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'

/**
 * Names on the wire. MCP and GenAI: the OpenTelemetry semantic conventions (docs/gen-ai/mcp.md and gen-ai-spans.md,
 * status Development); `remit.*` are ours.
 */
export const ATTR = {
  method: 'mcp.method.name',
  session: 'mcp.session.id',
  protocol: 'mcp.protocol.version',
  requestId: 'jsonrpc.request.id',
  tool: 'gen_ai.tool.name',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  tokenType: 'gen_ai.token.type',
  error: 'error.type',
  rpcStatus: 'rpc.response.status_code',
  httpStatus: 'http.response.status_code',
  transport: 'network.transport',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  server: 'remit.server',
  effect: 'remit.decision.effect',
  code: 'remit.decision.code',
  rule: 'remit.decision.rule',
  policy: 'remit.decision.policy',
  observed: 'remit.decision.observed',
  receipt: 'remit.receipt',
  digest: 'remit.digest',
  outcome: 'remit.outcome',
} as const

/** Counters and histograms; durations in seconds. */
export const createInstruments = (meter: Meter, queue: { bytes: () => number }) => {
  const seconds = {
    unit: 's',
    advice: {
      explicitBucketBoundaries: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    },
  }
  meter
    .createObservableGauge('remit.queue', { unit: 'By', description: 'Receipts the ledger has not taken yet' })
    .addCallback((result) => result.observe(queue.bytes()))
  return {
    calls: meter.createCounter('remit.calls', { unit: '{call}', description: 'Calls of tools and models, by outcome' }),
    denials: meter.createCounter('remit.denials', { unit: '{call}', description: 'Calls that were not made, by code' }),
    refusals: meter.createCounter('remit.refusals', {
      unit: '{message}',
      description: 'Messages that no policy decides',
    }),
    freezes: meter.createCounter('remit.freezes', { unit: '{freeze}', description: 'Breakers that opened' }),
    record: meter.createHistogram('remit.record.duration', { ...seconds, description: 'Until an intent is on disk' }),
    server: meter.createHistogram('mcp.server.operation.duration', { ...seconds, description: 'As the agent waits' }),
    client: meter.createHistogram('mcp.client.operation.duration', { ...seconds, description: 'As the server takes' }),
    model: meter.createHistogram('gen_ai.client.operation.duration', { ...seconds, description: 'As the model takes' }),
    tokens: meter.createHistogram('gen_ai.client.token.usage', { unit: '{token}', description: 'Tokens of one call' }),
  }
}
export type Instruments = ReturnType<typeof createInstruments>

export interface SidecarTelemetry {
  tracer: Tracer
  instruments: Instruments
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** The context of the first of these W3C traceparents that is one; anything else begins a new trace. */
export const parentContext = (...candidates: unknown[]): Context => {
  for (const candidate of candidates) {
    const match = typeof candidate === 'string' ? TRACEPARENT.exec(candidate) : null
    if (!match || /^0+$/.test(match[1]!) || /^0+$/.test(match[2]!)) continue
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId: match[1]!,
      spanId: match[2]!,
      traceFlags: Number.parseInt(match[3]!, 16) & 1,
      isRemote: true,
    })
  }
  return ROOT_CONTEXT
}

export const traceparentOf = (span: Span): string => {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** A span below `parent`. */
export const startSpan = (
  tracer: Tracer,
  name: string,
  kind: SpanKind,
  attributes: Attributes,
  parent: Context,
): Span => tracer.startSpan(name, { kind, attributes }, parent)

export const below = (span: Span): Context => trace.setSpan(ROOT_CONTEXT, span)

/** Ends a span; `error` (a low-cardinality word) marks it failed. */
export const endSpan = (span: Span, attributes: Attributes, error?: string): void => {
  span.setAttributes(error === undefined ? attributes : { ...attributes, [ATTR.error]: error })
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}
export { SpanKind }
