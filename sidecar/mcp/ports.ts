import type { Span } from '@opentelemetry/api'
import type { RequestId } from '../../lib/api/mcp.ts'
import type { IntentBody } from '../../lib/api/receipt.ts'
import type { RemitServer } from '../../lib/api/remit.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { InForce } from '../authority.ts'
import type { ServerMessage } from './answer.ts'
import type { Resumed } from './input.ts'
import type { Session } from './sessions.ts'

/** How MCP is spoken: in sessions that `initialize` begins (2025-11-25 and before), or all in each request (2026-07-28). */
export type Era = 'legacy' | 'modern'

/** A request or a notification without the wrapping of JSON-RPC. */
export interface Asked {
  method: string
  params: JsonObject
}
/** What an agent says to a server's request. */
export type Answered = { result: JsonObject } | { error: { code: number; message: string } }

/** The agent's side of one exchange, whatever era its client speaks. */
export interface Agent {
  era: Era
  version: string
  /** What the client says it can do (`initialize`, or `_meta` of the request); nothing of it is decided yet. */
  capabilities: JsonObject
  /** Only of a legacy client. */
  session?: { id: string; session: Session } | undefined
  /** A notification of the server for the agent, as JSON text, already decided. */
  notify: (raw: string) => void
  /**
   * Puts a server's request, already decided, to the agent; resolves with what it says, which is not decided yet.
   * Rejects with UpstreamFailure when nobody listens or no answer comes until `signal` is aborted.
   */
  ask: (request: Asked, signal: AbortSignal) => Promise<Answered>
  /** What this request of a modern client answers of an earlier one (`requestState`, `inputResponses`). */
  resumed?: Resumed | undefined
}

export interface ServerOptions {
  signal: AbortSignal
  traceparent?: string | undefined
  /** Of one message; the gate's own bound when it is not given. */
  maxBytes?: number
  /** A notification that comes before the answer. */
  onNotification: (message: ServerMessage) => void
  /** A request the server makes meanwhile, in either era; what this resolves with is sent to it. */
  onRequest: (request: Asked, signal: AbortSignal) => Promise<Answered>
}

/** One server as one agent reaches it, whatever era it speaks. Asking is what finds the era out. */
export interface ServerPort {
  server: RemitServer
  /** The revision the server was last spoken to in; undefined before. */
  version: () => string | undefined
  /**
   * Sends a request and resolves with the answer under its id, in the form of
   * the agent's era. Rejects with UpstreamFailure, SessionGone, or UserError(CredentialMissing). Given up, it tells the
   * server.
   */
  request: (message: Asked & { id: RequestId }, options: ServerOptions) => Promise<ServerMessage>
  /** Sends a notification; resolves with the HTTP status, 202 where the server's era has no such notification. */
  notify: (message: JsonObject) => Promise<number>
  /**
   * Opens the stream of what the server tells of its own accord; undefined where it has none. Rejects as `request`
   * does. `ended` resolves once the stream is over, and never rejects.
   */
  listen: (
    wanted: Wanted,
    options: Pick<ServerOptions, 'signal' | 'onNotification' | 'onRequest'>,
  ) => Promise<{ ended: Promise<void> } | undefined>
}

/** What somebody wants to be told of: changes of the lists, and of these resources. */
export interface Wanted {
  tools: boolean
  prompts: boolean
  resources: boolean
  uris: string[]
}

/** Whom a server's request is about: by which remit, of which server, for which agent. */
export interface RequestScene {
  inForce: InForce
  server: RemitServer
  agent: Agent
  /** Of the agent's own request that it comes about by, where there is one. */
  span?: Span | undefined
}

/**
 * A server's request that may be put to the agent, until its answer comes: plain JSON, because in the modern era it
 * travels to the agent and back (encrypted) between the two.
 * server-requests.ts decides the request, server-answers.ts what the agent says to it.
 */
export interface Admitted {
  request: Asked
  /** Name of the intent receipt. */
  intent: string
  trace: NonNullable<IntentBody['trace']>
  /** When it was begun, milliseconds since the epoch. */
  since: number
}
