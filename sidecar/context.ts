import type { Envelope, ReceiptBody } from '../lib/api/receipt.ts'
import type { Logger } from '../lib/service/log.ts'
import type { Authority } from './authority.ts'
import type { HeldBytes } from './body.ts'
import type { Commitments } from './commitments.ts'
import type { CallHistory } from './history.ts'
import type { Definitions } from './mcp/definitions.ts'
import type { HeldCalls } from './mcp/held.ts'
import type { Asked } from './mcp/methods/asked.ts'
import type { Cursors } from './mcp/methods/cursors.ts'
import type { KnownTasks } from './mcp/methods/known-tasks.ts'
import type { Seal } from './mcp/seal.ts'
import type { KeptSessions } from './mcp/server/kept.ts'
import type { ServerPorts } from './mcp/server/ports.ts'
import type { Sessions } from './mcp/sessions.ts'
import type { SidecarTelemetry } from './telemetry.ts'
import type { Send } from './upstream.ts'

/** Bounds, in bytes and milliseconds. */
export interface Limits {
  requestBytes: number
  modelRequestBytes: number
  /** Of all requests of the agent that are under way together. */
  heldBytes: number
  /** Of one message of a server. */
  answerBytes: number
  /** Longest silence of a server or model. */
  idleMs: number
  /** Longest a call may take in all. */
  callMs: number
  /** How long an agent may take over what a server asks of it before the call has to be made anew. */
  inputMs: number
  /** After the agent cancelled: how long the server may still answer. */
  cancelGraceMs: number
  /** How long an agent in a session whose connection broke may take to come back before its call is given up. */
  returnMs: number
}
/** What fits, read and parsed, into the 256 MiB of the sidecar's container; test/sidecar/memory.test.ts. */
export const DEFAULT_LIMITS: Limits = {
  requestBytes: 4 * 1024 * 1024,
  modelRequestBytes: 16 * 1024 * 1024,
  heldBytes: 24 * 1024 * 1024,
  answerBytes: 4 * 1024 * 1024,
  idleMs: 120_000,
  callMs: 30 * 60_000,
  inputMs: 10 * 60_000,
  cancelGraceMs: 2_000,
  returnMs: 5_000,
}

/** Of what is kept for agents that come back, and of what one of them may leave unread: an answer, and what was before it. */
export const unreadBytes = ({ answerBytes }: Limits): number => 1.5 * answerBytes

/** The credential of a declared server or model as it is now; undefined when it is not there. */
export type Credentials = (kind: 'server' | 'model', name: string) => string | undefined

/** What every request of the gate works with. */
export interface GateContext {
  authority: Pick<Authority, 'current' | 'onChange'>
  /** Resolves once the receipt is on disk. */
  record: (body: ReceiptBody) => Promise<Envelope>
  history: CallHistory
  definitions: Definitions
  asked: Asked
  cursors: Cursors
  tasks: KnownTasks
  commitments: Commitments
  send: Send
  credentials: Credentials
  seal: Seal
  sessions: Sessions
  /** What sessions would keep at servers that keep none. */
  kept: KeptSessions
  /** The ways to servers. */
  ports: ServerPorts
  held: HeldCalls
  bytes: HeldBytes
  telemetry: SidecarTelemetry
  limits: Limits
  now: () => number
  log: Logger
}

/** What the ways to servers are made of. */
export type Outside = Omit<GateContext, 'ports'>
