import type { Logger } from '../../lib/service/log.ts'
import type { Backend } from '../backend/backend.ts'
import type { Pool } from '../pool.ts'

export interface FrontLimits {
  /** Bytes of one message of a client. */
  messageBytes: number
  /** Milliseconds until a call that was not answered is given up. */
  callMs: number
  /** Milliseconds after which a session that nobody used is ended. */
  idleMs: number
  /** Milliseconds for a process to be greeted. */
  startMs: number
  /** Sessions at a time. */
  sessions: number
  /** Bytes that wait for a client that reads slowly. */
  heldBytes: number
}

/** What both fronts need. */
export interface FrontContext {
  pool: Pool
  /** For servers of this era; which one it is is known when `prime` was greeted. */
  backends: { modern: Backend; legacy: Backend }
  limits: FrontLimits
  /** One process serves all sessions too. */
  shared: boolean
  log: Logger
  now: () => number
}

/** The backend of the era that the server is of. Rejects with Unavailable. */
export const backendOf = async (context: FrontContext): Promise<Backend> => {
  const { hello } = await context.pool.prime()
  return context.backends[hello.era]
}
