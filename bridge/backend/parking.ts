import { createHash, randomBytes } from 'node:crypto'
import { type RequestId, RPC } from '../../lib/api/mcp.ts'
import { canonical } from '../../lib/core/canonical.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Incoming } from '../child/peer.ts'
import type { Answer } from '../json/rpc.ts'
import type { BackendRequest, BackendSink } from './backend.ts'

/** A server that asks several things at once is passed on with all of them. */
const GATHER_MS = 20

/** One call of a server that may ask before it answers; the client comes and goes, the call stays. */
export interface Conversation {
  attach: (sink: BackendSink) => void
  ask: (request: Incoming) => void
  /** Something that matters only to who is there. */
  tell: (act: (sink: BackendSink) => void) => void
  /** The end, which waits for who is not there. */
  finish: (act: (sink: BackendSink) => void) => void
  /** The client went away without waiting for an answer. */
  cancel: (reason: string) => void
}

export interface Parking {
  begin: (
    request: BackendRequest,
    server: {
      answer: (id: RequestId, body: Answer) => void
      giveUp: (reason: string) => void
    },
  ) => Conversation
  /** The call that a `requestState` of ours is of, with what the client answered passed on to the server. */
  resume: (state: string, request: BackendRequest, sink: BackendSink) => Conversation | undefined
  close: () => void
}

interface Parked {
  digest: string
  resume: (inputs: JsonObject, sink: BackendSink) => Conversation
  giveUp: (reason: string) => void
}

/** Of the request that a retry must repeat. */
const digestOf = ({ method, params }: BackendRequest): string => {
  const { inputResponses: _inputs, requestState: _state, _meta, ...rest } = params
  return createHash('sha256')
    .update(canonical({ method, params: rest }))
    .digest('base64url')
}

/**
 * Keeps calls of servers that ask in the middle of a call for clients that come back with the answer: the state they
 * are handed is a random name that is good for one retry of the same request, for a while.
 */
export const createParking = (limits: { parkMs: number; maxParked: number }): Parking => {
  const parked = new Map<string, Parked>()

  const begin: Parking['begin'] = (request, server) => {
    const digest = digestOf(request)
    const asked = new Map<string, Incoming>()
    let sink: BackendSink | undefined
    let end: ((sink: BackendSink) => void) | undefined
    let gathering: NodeJS.Timeout | undefined
    let expiry: NodeJS.Timeout | undefined
    let nextKey = 1

    const refuse = (reason: string) => {
      for (const { message } of asked.values())
        server.answer(message.id as RequestId, { error: { code: RPC.internal, message: reason } })
      asked.clear()
    }
    const giveUp = (reason: string) => {
      clearTimeout(gathering)
      clearTimeout(expiry)
      refuse(reason)
      server.giveUp(reason)
    }
    const park = () => {
      gathering = undefined
      if (!sink || asked.size === 0) return
      if (parked.size >= limits.maxParked) {
        refuse('Too many calls wait for input.')
        return
      }
      const state = randomBytes(24).toString('base64url')
      const inputRequests = Object.fromEntries(
        [...asked].map(([key, { message }]) => [
          key,
          { method: message.method!, ...(isObject(message.params) ? { params: message.params } : {}) },
        ]),
      )
      const to = sink
      sink = undefined
      expiry = setTimeout(() => {
        parked.delete(state)
        if (!end) giveUp('The client did not come back with an answer.')
      }, limits.parkMs)
      parked.set(state, { digest, resume, giveUp })
      to.onAnswer(
        JSON.stringify({
          jsonrpc: '2.0',
          id: 0,
          result: { resultType: 'input_required', inputRequests, requestState: state },
        }),
      )
    }
    const resume: Parked['resume'] = (inputs, to) => {
      clearTimeout(expiry)
      sink = to
      for (const [key, { message }] of asked) {
        const given = inputs[key]
        if (!isObject(given)) continue
        asked.delete(key)
        server.answer(message.id as RequestId, { result: given })
      }
      if (end) queueMicrotask(() => end!(to))
      // What is missing is asked for again.
      else if (asked.size > 0) gathering = setTimeout(park, GATHER_MS)
      return conversation
    }
    const conversation: Conversation = {
      attach: (to) => {
        sink = to
      },
      ask: (question) => {
        asked.set(`ask-${nextKey++}`, question)
        if (sink) gathering ??= setTimeout(park, GATHER_MS)
      },
      tell: (act) => {
        if (sink) act(sink)
      },
      finish: (act) => {
        clearTimeout(gathering)
        asked.clear()
        end = act
        if (sink) act(sink)
      },
      cancel: (reason) => {
        if (sink && !end) giveUp(reason)
      },
    }
    return conversation
  }

  return {
    begin,
    resume: (state, request, sink) => {
      const found = parked.get(state)
      if (!found || found.digest !== digestOf(request)) return undefined
      parked.delete(state)
      const inputs = request.params.inputResponses
      return found.resume(isObject(inputs) ? inputs : {}, sink)
    },
    close: () => {
      for (const { giveUp } of parked.values()) giveUp('The bridge is ending.')
      parked.clear()
    },
  }
}
