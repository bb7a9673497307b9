/** What the gate has to know of a session; `upstream` is absent when the server keeps none. */
export interface Session {
  server: string
  version: string
  upstream?: string
}
export interface Sessions {
  /** A session id for the agent, which says nothing to anyone but this gate. */
  open: (session: Session) => string
  /** The session of an id the gate made, also before it was restarted; undefined for any other. */
  find: (id: string) => Session | undefined
}
/**
 * Session ids that carry their own state, encrypted (AES-256-GCM) under a key of the spool directory: a restarted gate
 * knows them again, an agent cannot make one up, and none works at the server itself.
 */
export declare const createSessions: (dir: string) => Sessions
/** A short name of a session for traces, from which the id cannot be had. */
export declare const sessionLabel: (id: string) => string
