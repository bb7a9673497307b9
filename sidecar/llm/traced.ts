import type { Attributes, Span } from '@opentelemetry/api'
import type { RemitModel } from '../../lib/api/remit.ts'
import type { GateContext } from '../context.ts'
import { ATTR, addressOf, below, endSpan, parentContext, SpanKind, startSpan, traceparentOf } from '../telemetry.ts'
import type { Asked } from './asked.ts'
import type { Streamed } from './stream.ts'

/** The conventions' word for what a path of the OpenAI or Anthropic API does; `request` for what has none. */
export const operationOf = (path: string): string => {
  if (/\/(chat\/completions|messages|responses)$/.test(path)) return 'chat'
  if (path.endsWith('/completions')) return 'text_completion'
  return path.endsWith('/embeddings') ? 'embeddings' : 'request'
}

export interface ModelCall {
  model: RemitModel
  method: string
  url: URL
  asked: Asked
  /** What was decided. */
  effect: string
  /** The agent's own. */
  traceparent: unknown
}

/** What one call of a model tells of itself, by the conventions for GenAI. */
export interface TracedModelCall {
  span: Span
  /** It was not made. */
  denied: (code: string, receipt?: string) => void
  /** Begins the span of the request; ends with the status of the answer, or why there is none. */
  send: () => { traceparent: string; end: (status: number | undefined, error?: string) => void }
  /** It was made; `status` is 0 without an answer. */
  finish: (receipt: string, status: number, result: Streamed) => void
}

export const traceModelCall = (gate: GateContext, call: ModelCall): TracedModelCall => {
  const { tracer, instruments } = gate.telemetry
  const { model, method, url, asked } = call
  const began = gate.now()
  const operation = operationOf(url.pathname)
  const about: Attributes = {
    [ATTR.operation]: operation,
    [ATTR.provider]: model.api === 'Anthropic' ? 'anthropic' : 'openai',
    [ATTR.model]: model.name,
    ...addressOf(url, model.host),
  }
  const labels = { [ATTR.model]: model.name, [ATTR.effect]: call.effect }
  const span = startSpan(
    tracer,
    asked.model ? `${operation} ${asked.model}` : operation,
    SpanKind.CLIENT,
    {
      ...about,
      [ATTR.effect]: call.effect,
      ...(asked.model ? { [ATTR.requestModel]: asked.model } : {}),
      ...(asked.stream ? { [ATTR.stream]: true } : {}),
    },
    parentContext(call.traceparent),
  )
  return {
    span,
    denied: (code, receipt) => {
      instruments.denials.add(1, { ...labels, [ATTR.code]: code })
      endSpan(span, { [ATTR.code]: code, ...(receipt ? { [ATTR.receipt]: receipt } : {}) }, code)
    },
    send: () => {
      const client = startSpan(
        tracer,
        method,
        SpanKind.CLIENT,
        // Without the query, in which some APIs take a key.
        { [ATTR.httpMethod]: method, [ATTR.url]: url.origin + url.pathname, ...addressOf(url, model.host) },
        below(span),
      )
      return {
        traceparent: traceparentOf(client),
        end: (status, error) => endSpan(client, status === undefined ? {} : { [ATTR.httpStatus]: status }, error),
      }
    },
    finish: (receipt, status, { usage, outcome, error }) => {
      const responseModel = usage.responseModel ? { [ATTR.responseModel]: usage.responseModel } : {}
      endSpan(
        span,
        {
          ...responseModel,
          ...(usage.inputTokens === undefined ? {} : { [ATTR.inputTokens]: usage.inputTokens }),
          ...(usage.outputTokens === undefined ? {} : { [ATTR.outputTokens]: usage.outputTokens }),
          [ATTR.outcome]: outcome,
          [ATTR.receipt]: receipt,
          ...(status ? { [ATTR.httpStatus]: status } : {}),
        },
        error,
      )
      // A model that the API does not know is whatever the agent made up: no series of its own.
      const known = outcome === 'ok' && asked.model ? { [ATTR.requestModel]: asked.model } : {}
      const measured = { ...about, ...known, ...responseModel }
      instruments.calls.add(1, { ...labels, [ATTR.outcome]: outcome })
      instruments.model.record((gate.now() - began) / 1000, { ...measured, ...(error ? { [ATTR.error]: error } : {}) })
      const tokens = { input: usage.inputTokens, output: usage.outputTokens }
      for (const [type, count] of Object.entries(tokens))
        if (count !== undefined) instruments.tokens.record(count, { ...measured, [ATTR.tokenType]: type })
    },
  }
}
