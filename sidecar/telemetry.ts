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
import { catalog } from '../lib/core/errors.ts'

/**
 * Names on the wire. MCP and GenAI: the OpenTelemetry semantic conventions 1.41 (docs/gen-ai/mcp.md, gen-ai-spans.md and
 * gen-ai-metrics.md, status Development), the last before they moved to a repository of their own; `remit.*` are ours.
 */
export const ATTR = {
  method: 'mcp.method.name',
  session: 'mcp.session.id',
  protocol: 'mcp.protocol.version',
  requestId: 'jsonrpc.request.id',
  tool: 'gen_ai.tool.name',
  prompt: 'gen_ai.prompt.name',
  resource: 'mcp.resource.uri',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  stream: 'gen_ai.request.stream',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  tokenType: 'gen_ai.token.type',
  error: 'error.type',
  rpcStatus: 'rpc.response.status_code',
  httpMethod: 'http.request.method',
  httpStatus: 'http.response.status_code',
  url: 'url.full',
  transport: 'network.transport',
  networkProtocol: 'network.protocol.name',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  server: 'remit.server',
  model: 'remit.model',
  effect: 'remit.decision.effect',
  code: 'remit.decision.code',
  rule: 'remit.decision.rule',
  policy: 'remit.decision.policy',
  observed: 'remit.decision.observed',
  receipt: 'remit.receipt',
  outcome: 'remit.outcome',
} as const

/** Streamable HTTP, as the conventions want it said of an MCP span or measure. */
export const OVER_HTTP = { [ATTR.transport]: 'tcp', [ATTR.networkProtocol]: 'http' } as const

/** Where a server or model is; `host` is its name where the URL has only an address. */
export const addressOf = (url: URL, host?: string): Attributes => ({
  [ATTR.serverAddress]: host?.replace(/:\d+$/, '') ?? url.hostname.replace(/^\[|\]$/g, ''),
  [ATTR.serverPort]: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
})

const seconds = (explicitBucketBoundaries: number[]) => ({ unit: 's', advice: { explicitBucketBoundaries } })
// As the conventions have them, for each kind of operation.
const MCP_SECONDS = seconds([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300])
const MODEL_SECONDS = seconds([0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92])
const TOKENS = {
  unit: '{token}',
  advice: { explicitBucketBoundaries: Array.from({ length: 14 }, (_, power) => 4 ** power) },
}
const DISK_SECONDS = seconds([0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30])

/** Counters and histograms; durations in seconds. */
export const createInstruments = (meter: Meter, queue: { bytes: () => number }) => {
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
    record: meter.createHistogram('remit.record.duration', {
      ...DISK_SECONDS,
      description: 'Until an intent is on disk',
    }),
    server: meter.createHistogram('mcp.server.operation.duration', {
      ...MCP_SECONDS,
      description: 'As the agent waits',
    }),
    client: meter.createHistogram('mcp.client.operation.duration', {
      ...MCP_SECONDS,
      description: 'As the server takes',
    }),
    model: meter.createHistogram('gen_ai.client.operation.duration', {
      ...MODEL_SECONDS,
      description: 'As the model takes',
    }),
    tokens: meter.createHistogram('gen_ai.client.token.usage', { ...TOKENS, description: 'Tokens of one call' }),
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

const WORDS = new Set(['tool_error', 'session', 'version', 'invalid', 'unreachable', 'timeout', 'cancelled'])

/** `error.type`: our words and codes, and numbers. A server may put any text where a code belongs; that is told to nobody. */
export const errorType = (word: string): string =>
  /^-?\d{1,10}$/.test(word) || WORDS.has(word) || Object.hasOwn(catalog, word) ? word : '_OTHER'

/** Ends a span; `error` marks it failed. */
export const endSpan = (span: Span, attributes: Attributes, error?: string): void => {
  span.setAttributes(error === undefined ? attributes : { ...attributes, [ATTR.error]: errorType(error) })
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}
export { SpanKind }
