import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RemitServer } from '../../lib/api/remit.ts'
import type { GateContext } from '../context.ts'
import type { Session } from './sessions.ts'
/** The open GET streams of agents. */
export interface Listeners {
  open: (request: IncomingMessage, response: ServerResponse, server: RemitServer, session: Session) => Promise<void>
  /** Tells every agent that listens that its tools may have changed. */
  toolsChanged: () => void
}
/**
 * Streams for what servers send of their own accord. Where a server has no such stream the gate holds one open
 * itself, to say when a new remit changes the tools.
 */
export declare const createListeners: (gate: GateContext) => Listeners
