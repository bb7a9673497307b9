import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { readIfThere, replaceFile } from '../spool/files.ts'

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

const KEY_FILE = 'session.key'
const CACHED = 1_000

/**
 * Session ids that carry their own state, encrypted (AES-256-GCM) under a key of the spool directory: a restarted gate
 * knows them again, an agent cannot make one up, and none works at the server itself.
 */
export const createSessions = (dir: string): Sessions => {
  const saved = readIfThere(dir, KEY_FILE)
  const key = saved && /^[0-9a-f]{64}$/.test(saved) ? Buffer.from(saved, 'hex') : randomBytes(32)
  if (saved !== key.toString('hex')) replaceFile(dir, KEY_FILE, key.toString('hex'))
  const known = new Map<string, Session>()
  const remember = (id: string, session: Session) => {
    if (known.size >= CACHED) known.delete(known.keys().next().value!)
    known.set(id, session)
    return session
  }
  return {
    open: (session) => {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const sealed = Buffer.concat([cipher.update(JSON.stringify(session), 'utf8'), cipher.final()])
      const id = Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
      remember(id, session)
      return id
    },
    find: (id) => {
      const cached = known.get(id)
      if (cached) return cached
      const bytes = Buffer.from(id, 'base64url')
      if (bytes.length < 29 || bytes.toString('base64url') !== id) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
        decipher.setAuthTag(bytes.subarray(12, 28))
        const text = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
        return remember(id, JSON.parse(text) as Session)
      } catch {
        return undefined
      }
    },
  }
}

/** A short name of a session for traces, from which the id cannot be had. */
export const sessionLabel = (id: string): string => createHash('sha256').update(id).digest('hex').slice(0, 16)
