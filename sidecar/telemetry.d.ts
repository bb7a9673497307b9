import { type Attributes, type Context, type Meter, type Span, SpanKind, type Tracer } from '@opentelemetry/api'
/**
 * Names on the wire. MCP and GenAI: the OpenTelemetry semantic conventions (docs/gen-ai/mcp.md and gen-ai-spans.md,
 * status Development); `remit.*` are ours.
 */
export declare const ATTR: {
  readonly method: 'mcp.method.name'
  readonly session: 'mcp.session.id'
  readonly protocol: 'mcp.protocol.version'
  readonly requestId: 'jsonrpc.request.id'
  readonly tool: 'gen_ai.tool.name'
  readonly operation: 'gen_ai.operation.name'
  readonly provider: 'gen_ai.provider.name'
  readonly requestModel: 'gen_ai.request.model'
  readonly responseModel: 'gen_ai.response.model'
  readonly inputTokens: 'gen_ai.usage.input_tokens'
  readonly outputTokens: 'gen_ai.usage.output_tokens'
  readonly tokenType: 'gen_ai.token.type'
  readonly error: 'error.type'
  readonly rpcStatus: 'rpc.response.status_code'
  readonly httpStatus: 'http.response.status_code'
  readonly transport: 'network.transport'
  readonly serverAddress: 'server.address'
  readonly serverPort: 'server.port'
  readonly server: 'remit.server'
  readonly effect: 'remit.decision.effect'
  readonly code: 'remit.decision.code'
  readonly rule: 'remit.decision.rule'
  readonly policy: 'remit.decision.policy'
  readonly observed: 'remit.decision.observed'
  readonly receipt: 'remit.receipt'
  readonly digest: 'remit.digest'
  readonly outcome: 'remit.outcome'
}
/** Counters and histograms; durations in seconds. */
export declare const createInstruments: (
  meter: Meter,
  queue: {
    bytes: () => number
  },
) => {
  calls: import('@opentelemetry/api').Counter<Attributes>
  denials: import('@opentelemetry/api').Counter<Attributes>
  refusals: import('@opentelemetry/api').Counter<Attributes>
  record: import('@opentelemetry/api').Histogram<Attributes>
  server: import('@opentelemetry/api').Histogram<Attributes>
  client: import('@opentelemetry/api').Histogram<Attributes>
  model: import('@opentelemetry/api').Histogram<Attributes>
  tokens: import('@opentelemetry/api').Histogram<Attributes>
}
export type Instruments = ReturnType<typeof createInstruments>
export interface SidecarTelemetry {
  tracer: Tracer
  instruments: Instruments
}
/** The context of the first of these W3C traceparents that is one; anything else begins a new trace. */
export declare const parentContext: (...candidates: unknown[]) => Context
export declare const traceparentOf: (span: Span) => string
/** A span below `parent`. */
export declare const startSpan: (
  tracer: Tracer,
  name: string,
  kind: SpanKind,
  attributes: Attributes,
  parent: Context,
) => Span
export declare const below: (span: Span) => Context
/** Ends a span; `error` (a low-cardinality word) marks it failed. */
export declare const endSpan: (span: Span, attributes: Attributes, error?: string) => void
export { SpanKind }
