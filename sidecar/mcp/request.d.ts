import type { RemitServer } from '../../lib/api/remit.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { type Message } from './messages.ts'
import type { Reply } from './reply.ts'
import type { Session } from './sessions.ts'

type Request = Extract<
  Message,
  {
    kind: 'request'
  }
>
export interface PlainRequest {
  inForce: InForce
  server: RemitServer
  session?: Session | undefined
  message: Request
  reply: Reply
  signal: AbortSignal
  traceparent: string
}
/**
 * Passes on a request that no rule has to decide (initialize, ping, tools/list, logging/setLevel) and what of its
 * answer the remit lets the agent see. Returns the span's error word.
 */
export declare const handleRequest: (gate: GateContext, request: PlainRequest) => Promise<string | undefined>
