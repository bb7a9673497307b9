import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import { UpstreamFailure } from '../upstream.ts'
import type { ServerMessage } from './answer.ts'
import type { Answered, Asked } from './ports.ts'

/** Calls kept open at a time while agents answer what their servers ask. */
const MAX_HELD = 100
/** What else a server asks within this moment goes to the agent together. */
const GATHER_MS = 10

/** What has come of an open call: its answer, or what its server wants to know first. */
export type Event = { answer: ServerMessage } | { asked: { [key: string]: Asked } }

/**
 * A call that is open at a server of the older revisions while the agent, a modern client, answers what the server
 * asks. Each request of the agent's attaches to it and gets what comes next.
 */
export interface HeldCall {
  id: string
  server: string
  /** Puts something to the agent: it goes out with what `next` resolves with. */
  ask: (request: Asked, signal: AbortSignal) => Promise<Answered>
  answered: (responses: ReadonlyMap<string, JsonObject>) => void
  /** Rejects as the call does; `signal` gives the call up. */
  next: (signal: AbortSignal, hear: (message: ServerMessage) => void) => Promise<Event>
  isAttached: () => boolean
}

export interface HeldCalls {
  /** Begins a call; `hear` of it passes notifications to whoever is attached. */
  begin: (
    server: string,
    make: (call: {
      signal: AbortSignal
      hear: (message: ServerMessage) => void
      ask: HeldCall['ask']
    }) => Promise<ServerMessage>,
  ) => HeldCall
  find: (id: string) => HeldCall | undefined
  /** Whether there is room to keep one more open. */
  hasRoom: () => boolean
  close: () => void
}

/** `inputMs`: how long a call is kept open for an agent that does not come back. */
export const createHeldCalls = (inputMs: number): HeldCalls => {
  const calls = new Map<string, { call: HeldCall; abort: (reason: UpstreamFailure) => void; waits: () => boolean }>()

  const begin: HeldCalls['begin'] = (server, make) => {
    const id = randomUUID()
    const controller = new AbortController()
    const abort = (reason: unknown) => controller.abort(reason)
    const pending = new Map<string, { request: Asked; resolve: (answered: Answered) => void }>()
    let asked = 0
    let hear: ((message: ServerMessage) => void) | undefined
    let wake: (() => void) | undefined
    let settled = false
    let expiry: NodeJS.Timeout | undefined

    const ask: HeldCall['ask'] = (request, signal) =>
      new Promise((resolve, reject) => {
        const key = `${++asked}`
        const done = () => {
          pending.delete(key)
          signal.removeEventListener('abort', giveUp)
        }
        const giveUp = () => {
          done()
          reject(
            signal.reason instanceof UpstreamFailure
              ? signal.reason
              : new UpstreamFailure('cancelled', 'nobody waits for the answer', false),
          )
        }
        pending.set(key, {
          request,
          resolve: (answered) => {
            done()
            resolve(answered)
          },
        })
        signal.addEventListener('abort', giveUp)
        if (signal.aborted) giveUp()
        else setTimeout(() => wake?.(), GATHER_MS)
      })

    const answer = make({ signal: controller.signal, hear: (message) => hear?.(message), ask }).finally(() => {
      settled = true
    })
    answer.catch(() => {})

    const call: HeldCall = {
      id,
      server,
      ask,
      isAttached: () => hear !== undefined,
      answered: (responses) => {
        for (const [key, { resolve }] of pending) {
          const result = responses.get(key)
          if (result) resolve({ result })
        }
      },
      next: async (signal, listener) => {
        clearTimeout(expiry)
        hear = listener
        const giveUp = () => abort(signal.reason)
        signal.addEventListener('abort', giveUp)
        if (signal.aborted) giveUp()
        try {
          const isAsked = new Promise<undefined>((resolve) => {
            wake = () => pending.size > 0 && resolve(undefined)
            wake()
          })
          const answered = await Promise.race([answer, isAsked])
          if (answered) return { answer: answered }
          return { asked: Object.fromEntries([...pending].map(([key, { request }]) => [key, request])) }
        } finally {
          hear = undefined
          wake = undefined
          signal.removeEventListener('abort', giveUp)
          if (settled) calls.delete(id)
          else {
            calls.set(id, { call, abort, waits: () => !settled })
            expiry = setTimeout(() => {
              calls.delete(id)
              abort(new UpstreamFailure('cancelled', 'the agent never answered what the server asked', true))
            }, inputMs).unref()
          }
        }
      },
    }
    return call
  }
  return {
    begin,
    find: (id) => calls.get(id)?.call,
    hasRoom: () => calls.size < MAX_HELD,
    close: () => {
      for (const { abort } of calls.values()) abort(new UpstreamFailure('cancelled', 'the gate closes', true))
    },
  }
}
