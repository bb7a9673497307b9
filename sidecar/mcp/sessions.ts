import { createHash } from 'node:crypto'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Json } from '../../lib/core/strict.ts'
import type { Seal } from './seal.ts'

/** What the gate has to know of a session; `upstream` is absent when the server keeps none. */
export interface Session {
  server: string
  version: string
  upstream?: string
  /** The server speaks 2026-07-28, so the session is one of this gate's alone. */
  modern?: true
  /** Calls may go on as tasks of the server's, which its revision has otherwise. */
  tasks?: true
  /** What of the client's capabilities this gate knows. */
  capabilities?: JsonObject
  /** The client as it names itself, to servers that are told at each request. */
  client?: JsonObject
}

export interface Sessions {
  /** A session id for the agent, which says nothing to anyone but this gate. */
  open: (session: Session) => string
  /** The session of an id the gate made, also before it was restarted; undefined for any other. */
  find: (id: string) => Session | undefined
}

const PURPOSE = 'session'
const CACHED = 1_000

/**
 * Session ids that carry their own state, sealed: a restarted gate knows them again, an agent cannot make one up, and
 * none works at the server itself.
 */
export const createSessions = (seal: Seal): Sessions => {
  const known = new Map<string, Session>()
  const remember = (id: string, session: Session) => {
    if (known.size >= CACHED) known.delete(known.keys().next().value!)
    known.set(id, session)
    return session
  }
  return {
    open: (session) => {
      const id = seal.close(PURPOSE, session as unknown as Json)
      remember(id, session)
      return id
    },
    find: (id) => {
      const cached = known.get(id)
      if (cached) return cached
      const session = seal.open(PURPOSE, id)
      return session === undefined ? undefined : remember(id, session as unknown as Session)
    },
  }
}

/** A short name of a session for traces, from which the id cannot be had. */
export const sessionLabel = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 16)
