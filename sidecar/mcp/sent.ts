import type { Attributes, Span } from '@opentelemetry/api'
import type { RequestId } from '../../lib/api/mcp.ts'
import type { GateContext } from '../context.ts'
import {
  ATTR,
  addressOf,
  below,
  endSpan,
  errorType,
  OVER_HTTP,
  SpanKind,
  startSpan,
  traceparentOf,
} from '../telemetry.ts'
import type { Finished } from './outcome.ts'
import type { ServerPort } from './ports.ts'

/** What goes to a server, as traces and measures have it. */
export interface Sent {
  /** Of the span. */
  name: string
  method: string
  id: RequestId
  port: ServerPort
  /** The span of the agent's own request. */
  span: Span
  /** What it is about: of both the span and the measures, and of the span alone. */
  about?: Attributes
  spanAbout?: Attributes
}

/** Makes what was decided and recorded in a client span of its own, and measures it; `failed` says what an error comes to. */
export const sent = async (
  gate: GateContext,
  { name, method, id, port, span, about = {}, spanAbout = {} }: Sent,
  make: (traceparent: string) => Promise<Finished>,
  failed: (error: unknown) => Finished,
): Promise<Finished> => {
  const { server } = port
  const measured = {
    [ATTR.method]: method,
    ...about,
    [ATTR.server]: server.name,
    ...addressOf(new URL(server.url), server.host),
    ...OVER_HTTP,
  }
  const client = startSpan(
    gate.telemetry.tracer,
    name,
    SpanKind.CLIENT,
    { ...measured, ...spanAbout, [ATTR.requestId]: String(id) },
    below(span),
  )
  const began = gate.now()
  const finished = await gate.asked.during(server.name, () => make(traceparentOf(client))).catch(failed)
  const error = finished.error === undefined ? undefined : errorType(finished.error)
  const rejected = error && /^-?\d+$/.test(error) ? { [ATTR.rpcStatus]: error } : {}
  const version = port.version()
  const spoken = version === undefined ? {} : { [ATTR.protocol]: version }
  endSpan(client, { [ATTR.outcome]: finished.outcome.outcome, ...spoken, ...rejected }, error)
  gate.telemetry.instruments.client.record((gate.now() - began) / 1000, {
    ...measured,
    ...spoken,
    ...(error ? { [ATTR.error]: error } : {}),
  })
  return finished
}
