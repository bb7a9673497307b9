import type { RemitServer } from '../../lib/api/remit.ts'
import type { GateContext } from '../context.ts'
import { type ServerMessage } from './answer.ts'
import { type JsonObject, type RequestId } from './messages.ts'
import type { Session } from './sessions.ts'
/** One message to a server, with nothing of the agent's own HTTP request. */
export interface Outgoing {
  server: RemitServer
  session?: Session | undefined
  /** Exact bytes of the message. */
  body: Buffer
  traceparent?: string | undefined
  signal: AbortSignal
}
export declare const sessionHeaders: (session: Session | undefined) => Record<string, string>
/** The server does not know the session any more. */
export declare class SessionGone extends Error {
  name: string
}
/** A bounded signal: aborted by the caller's, or with a timeout failure after `ms`. */
export declare const within: (
  ms: number,
  outer?: AbortSignal,
) => {
  signal: AbortSignal
  abort: (reason: unknown) => void
  done: () => void
}
/** Sends a message nobody waits for an answer to; resolves with whether the server took it. */
export declare const notify: (
  gate: GateContext,
  out: Omit<Outgoing, 'signal' | 'body'>,
  message: JsonObject,
) => Promise<number>
/**
 * What a server sends of its own accord: notifications the protocol's tools part knows are passed on; its requests
 * (sampling, elicitation, roots) are answered here, because no policy decides what an agent tells a server that way.
 */
export declare const serverMessages: (
  gate: GateContext,
  out: Omit<Outgoing, 'signal' | 'body'>,
  pass: (raw: string) => void,
) => ({ message, raw }: ServerMessage) => void
/** Sends a request and reads its answer. Rejects with UpstreamFailure, SessionGone, or UserError(CredentialMissing). */
export declare const exchange: (
  gate: GateContext,
  out: Outgoing,
  id: RequestId,
  onMessage: (message: ServerMessage) => void,
) => Promise<
  ServerMessage & {
    session?: string | undefined
  }
>
