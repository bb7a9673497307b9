import type { Span } from '@opentelemetry/api'
import type { RemitServer } from '../../lib/api/remit.ts'
import type { Redactions } from '../../lib/core/redact.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { GateContext } from '../context.ts'
import { ATTR, below, endSpan, SpanKind, startSpan, traceparentOf } from '../telemetry.ts'
import { UpstreamFailure } from '../upstream.ts'
import { exchange, notify, type Outgoing, serverMessages } from './forward.ts'
import { isObject, type JsonObject, META_REASON, META_TASK, type RequestId } from './messages.ts'
import { type Finished, failed, succeeded } from './outcome.ts'
import type { Reply } from './reply.ts'
import type { Session } from './sessions.ts'

/** A call that was decided and recorded, and now goes out. */
export interface Dispatch {
  server: RemitServer
  session: Session | undefined
  id: RequestId
  raw: JsonObject
  params: JsonObject
  redactions: Redactions
  commit: (where: string, value: Json) => Json
  span: Span
  reply: Reply
  signal: AbortSignal
}

/** `params` as forwarded: our trace, and without what the agent told only the gate. */
const forwarded = ({ raw, params: given }: Dispatch, traceparent: string): Buffer => {
  const { _meta, ...params } = given
  const { [META_TASK]: _task, [META_REASON]: _reason, tracestate: _state, ...meta } = isObject(_meta) ? _meta : {}
  return Buffer.from(
    JSON.stringify({
      ...raw,
      params: { ...params, arguments: params.arguments ?? {}, _meta: { ...meta, traceparent } },
    }),
  )
}

/** Forwards the call and waits for what comes of it; throws only what is our own mistake. */
export const dispatch = async (gate: GateContext, call: Dispatch): Promise<Finished> => {
  const { id, server, session, reply, signal } = call
  const tool = String(call.params.name)
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
    below(call.span),
  )
  const traceparent = traceparentOf(client)
  const out: Outgoing = { server, session, traceparent, body: forwarded(call, traceparent), signal }
  const began = gate.now()
  let finished: Finished
  try {
    const answer = await exchange(gate, out, id, serverMessages(gate, out, reply.message))
    finished = succeeded(answer, call.redactions, call.commit)
  } catch (error) {
    finished = failed(id, server.name, error, gate.limits.idleMs)
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
