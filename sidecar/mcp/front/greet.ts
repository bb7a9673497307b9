import { RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { UserError } from '../../../lib/core/errors.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { traceparentOf } from '../../telemetry.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { FAILURE_CODES, SessionGone, within } from '../forward.ts'
import { type Message, rpcError } from '../messages.ts'
import type { Agent } from '../ports.ts'
import type { Reply } from '../reply.ts'
import { traced } from '../traced.ts'

export interface Greeting {
  inForce: InForce
  server: RemitServer
  message: Extract<Message, { kind: 'request' }>
  agent: Agent
  reply: Reply
  traceparent: string
  signal: AbortSignal
}

/** Answers a greeting; gives the span's error word. Rejects with what kept the server from answering. */
export type Answering = (gate: GateContext, greeting: Greeting) => Promise<string | undefined>

/** Tells the agent what kept the server from answering. */
const failed = (gate: GateContext, { server, message: { id }, reply }: Greeting, error: unknown): string => {
  if (error instanceof UserError) {
    reply.answer(rpcError(id, RPC.internal, error.code, error.values))
    return error.code
  }
  const failure = error instanceof SessionGone ? new UpstreamFailure('invalid', error.message, true) : error
  if (!(failure instanceof UpstreamFailure)) throw error
  const values = { server: server.name, detail: failure.message, seconds: gate.limits.idleMs / 1000 }
  reply.answer(rpcError(id, RPC.internal, FAILURE_CODES[failure.kind], values))
  return failure.kind
}

/** Has a greeting answered by `discover` or `initialize`: until it is, or is given up, or takes too long. */
export const greet = async (
  gate: GateContext,
  greeting: Omit<Greeting, 'traceparent' | 'signal'>,
  about: Parameters<typeof traced>[2],
  answer: Answering,
): Promise<void> => {
  const limit = within(gate.limits.callMs)
  greeting.reply.whenGone(() => limit.abort(new UpstreamFailure('cancelled', 'the agent went away', true)))
  try {
    await traced(gate, greeting.message, about, (span) => {
      const whole = { ...greeting, traceparent: traceparentOf(span), signal: limit.signal }
      return answer(gate, whole).catch((error: unknown) => failed(gate, whole, error))
    })
  } finally {
    limit.done()
  }
}
