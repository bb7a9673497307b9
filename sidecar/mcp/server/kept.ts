import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { readIfThere, replaceFile } from '../../../lib/service/files.ts'
import { isLogLevel } from '../revision.ts'

/** What a session of the older revisions keeps at its server, and a modern server is told at each request. */
export interface Kept {
  level: () => string | undefined
  uris: () => string[]
  /** Keeps it, also for a gate that is started again; throws the disk's error, and then nothing has changed. */
  setLevel: (level: string) => void
  /** As `setLevel`; false when there is no room for one more. */
  follow: (uri: string) => boolean
  unfollow: (uri: string) => void
  /** Calls when the subscriptions are others, until the function it returns is called. */
  onChange: (then: () => void) => () => void
}

export interface KeptSessions {
  of: (sessionId: string) => Kept
  /** The session is over. */
  end: (sessionId: string) => void
}

const FILE = 'sessions.json'
/** Sessions that keep something; of those before, the one that changed longest ago is forgotten. */
const MAX_SESSIONS = 1_000
/** Of the whole file, because all of it is written at each change. */
const MAX_BYTES = 1024 * 1024

interface State {
  level?: string
  uris: string[]
}

const isText = (value: unknown): value is string => typeof value === 'string'
const stateIn = (saved: unknown): State | undefined =>
  isObject(saved) && Array.isArray(saved.uris)
    ? { ...(isLogLevel(saved.level) ? { level: saved.level } : {}), uris: saved.uris.filter(isText) }
    : undefined

const readAll = (path: string): Map<string, State> => {
  let saved: unknown
  try {
    saved = JSON.parse(readIfThere(path) ?? '{}')
  } catch {
    // As one that kept nothing: the agents' logs are silent, and they can subscribe again.
    saved = {}
  }
  const states = Object.entries(isObject(saved) ? saved : {}).flatMap(([name, value]): [string, State][] => {
    const state = stateIn(value)
    return state ? [[name, state]] : []
  })
  return new Map(states)
}

/** Of a session on disk: its id itself would let one use it. */
const nameOf = (sessionId: string): string => createHash('sha256').update(sessionId).digest('hex')

/** What sessions keep, in a file of the spool directory. */
export const createKeptSessions = (dir: string): KeptSessions => {
  const path = join(dir, FILE)
  let states = readAll(path)
  const listeners = new Map<string, Set<() => void>>()

  /** Replaces the state of one session; false when all of them together would be too much. */
  const change = (name: string, state: State | undefined): boolean => {
    const next = new Map(states)
    next.delete(name)
    if (state) next.set(name, state)
    if (next.size > MAX_SESSIONS) next.delete(next.keys().next().value!)
    const text = JSON.stringify(Object.fromEntries(next) as unknown as JsonObject)
    if (Buffer.byteLength(text) > MAX_BYTES) return false
    replaceFile(path, text)
    states = next
    return true
  }
  return {
    of: (sessionId) => {
      const name = nameOf(sessionId)
      const now = (): State => states.get(name) ?? { uris: [] }
      const changed = () => {
        for (const then of listeners.get(name) ?? []) then()
      }
      return {
        level: () => now().level,
        uris: () => now().uris,
        setLevel: (level) => {
          if (now().level !== level) change(name, { ...now(), level })
        },
        follow: (uri) => {
          if (now().uris.includes(uri)) return true
          if (!change(name, { ...now(), uris: [...now().uris, uri] })) return false
          changed()
          return true
        },
        unfollow: (uri) => {
          if (!now().uris.includes(uri)) return
          change(name, { ...now(), uris: now().uris.filter((one) => one !== uri) })
          changed()
        },
        onChange: (then) => {
          const all = listeners.get(name) ?? new Set()
          listeners.set(name, all.add(then))
          return () => {
            all.delete(then)
            if (all.size === 0 && listeners.get(name) === all) listeners.delete(name)
          }
        },
      }
    },
    end: (sessionId) => {
      const name = nameOf(sessionId)
      if (!states.has(name)) return
      try {
        change(name, undefined)
      } catch {
        // The next change writes the file without it.
        states.delete(name)
      }
    },
  }
}
