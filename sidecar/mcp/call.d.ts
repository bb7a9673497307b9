import type { Span } from '@opentelemetry/api'
import type { RemitServer } from '../../lib/api/remit.ts'
import type { InForce } from '../authority.ts'
import type { GateContext } from '../context.ts'
import { type JsonObject, type RequestId } from './messages.ts'
import type { Reply } from './reply.ts'
import type { Session } from './sessions.ts'
/** One `tools/call` of the agent, on its way. */
export interface ToolRequest {
  inForce: InForce
  /** As addressed; `declared` when the remit has it. */
  serverName: string
  declared?: RemitServer | undefined
  session?: Session | undefined
  id: RequestId
  raw: JsonObject
  params: JsonObject
  span: Span
  reply: Reply
  /** Aborted when the agent gives the call up or the time is over. */
  signal: AbortSignal
}
/**
 * Decides, records, forwards, records, answers: in this order, and each only when the one before is on disk. Answers
 * every call; what it throws is our own mistake. Returns the span's error word.
 */
export declare const handleCall: (gate: GateContext, request: ToolRequest) => Promise<string | undefined>
