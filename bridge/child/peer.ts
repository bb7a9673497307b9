import { type RequestId, RPC } from '../../lib/api/mcp.ts'
import { isObject, isRequestId, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Logger } from '../../lib/service/log.ts'
import type { Answer } from '../json/rpc.ts'
import type { LongLine } from './lines.ts'
import { type ProcessOptions, startProcess } from './process.ts'

/** A message of the server: parsed, and the text it came as. */
export interface Incoming {
  message: JsonObject
  raw: string
}

/** Whoever waits for an answer. */
export interface CallSink {
  /** The answer, under the id that the server was given. */
  onAnswer: (answer: Incoming) => void
  /** A progress notification of this call, its token the caller's own. */
  onProgress?: (message: JsonObject) => void
  /** No answer will come. */
  onLost: (detail: string, effect: 'none' | 'unknown') => void
}

/** A call under way. */
export interface Handle {
  /** The id that the server was given. */
  id: number
  /** Tells the server that nobody waits any more, and waits no more. */
  cancel: (reason: string) => void
}

/** JSON-RPC with one server process: ids and progress tokens are its own, so that callers cannot meet each other's. */
export interface Peer {
  pid: number | undefined
  /** Calls under way. */
  underWay: () => number
  call: (request: { method: string; params?: JsonObject | undefined }, sink: CallSink) => Handle
  notify: (method: string, params?: JsonObject) => void
  /** Writes an answer to a request of the server. */
  answer: (id: RequestId, body: Answer) => void
  /** What the server asks and says of its own accord. */
  listen: (listener: { onRequest: (request: Incoming) => void; onNotification: (note: Incoming) => void }) => void
  ended: () => string | undefined
  whenEnded: Promise<string>
  stop: () => Promise<void>
}

const withToken = (params: JsonObject | undefined, token: number): JsonObject | undefined =>
  isObject(params?._meta) && params._meta.progressToken !== undefined
    ? { ...params, _meta: { ...params._meta, progressToken: token } }
    : params

/** The id of an answer that was too long to keep: servers write it first or last. */
const idOfLong = ({ head, tail }: LongLine): number | undefined => {
  const found =
    /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d+)\s*,/.exec(head) ??
    /,\s*"id"\s*:\s*(\d+)\s*\}\s*$/.exec(tail)
  return found ? Number(found[1]) : undefined
}

export const startPeer = (options: Omit<ProcessOptions, 'onLine' | 'onLong' | 'onEnd'>): Peer => {
  const { limits } = options
  let nextId = 1
  const pending = new Map<number, CallSink & { token: RequestId | undefined }>()
  let listener: Parameters<Peer['listen']>[0] = { onRequest: () => {}, onNotification: () => {} }
  let endedBy: string | undefined
  let tellEnd: (reason: string) => void = () => {}
  const whenEnded = new Promise<string>((resolve) => {
    tellEnd = resolve
  })
  let skipped = 0
  const skip = (why: string, bytes: number) => {
    skipped++
    // Of a flood the powers of ten are told.
    if (Number.isInteger(Math.log10(skipped)))
      log.warn({ why, bytes, skipped }, 'the server wrote a line that is not a message; it was skipped')
  }

  const take = (incoming: Incoming) => {
    const { message } = incoming
    if (message.jsonrpc !== '2.0') return skip('no JSON-RPC 2.0', incoming.raw.length)
    if (typeof message.method === 'string') {
      if (isRequestId(message.id)) return listener.onRequest(incoming)
      if ('id' in message) return skip('an id that is none', incoming.raw.length)
      const params = isObject(message.params) ? message.params : undefined
      if (message.method !== 'notifications/progress') return listener.onNotification(incoming)
      const call = pending.get(Number(params?.progressToken))
      if (call?.token !== undefined) call.onProgress?.({ ...message, params: { ...params, progressToken: call.token } })
      return
    }
    const id = Number(message.id)
    const call = pending.get(id)
    // A call that was given up may still be answered.
    if (!call) return
    pending.delete(id)
    if (isObject(message.result) !== isObject(message.error)) {
      try {
        call.onAnswer(incoming)
      } catch (error) {
        call.onLost("The server's answer cannot be passed on", 'unknown')
        throw error
      }
    } else call.onLost('The server answered with neither or both of result and error', 'unknown')
  }

  const read = (raw: string) => {
    const value: unknown = JSON.parse(raw)
    // Batches were part of one old revision; what is in them is taken one by one.
    if (Array.isArray(value)) {
      for (const message of value) if (isObject(message)) take({ message, raw: JSON.stringify(message) })
    } else if (isObject(value)) take({ message: value, raw: raw.includes('\r') ? JSON.stringify(value) : raw })
    else skip('no object', raw.length)
  }

  const running = startProcess({
    ...options,
    onLine: (raw) => {
      try {
        read(raw)
      } catch (error) {
        // So deeply nested that it cannot be written again, or a bug of ours: neither may end the bridge.
        skip(error instanceof SyntaxError ? 'not JSON' : String(error), raw.length)
      }
    },
    onLong: (line) => {
      const id = idOfLong(line)
      const call = id === undefined ? undefined : pending.get(id)
      if (!call) return skip(`over ${limits.messageBytes} bytes`, line.bytes)
      pending.delete(id!)
      call.onLost(
        `The server's answer has ${line.bytes} bytes and at most ${limits.messageBytes} are passed on`,
        'unknown',
      )
    },
    onEnd: (reason) => {
      endedBy = reason
      const calls = [...pending.values()]
      pending.clear()
      for (const call of calls) call.onLost(`The server ended before it answered (${reason})`, 'unknown')
      tellEnd(reason)
    },
  })
  const log: Logger = options.log.child({ pid: running.pid })

  return {
    pid: running.pid,
    underWay: () => pending.size,
    call: ({ method, params }, sink) => {
      const id = nextId++
      const token = isObject(params?._meta) ? params._meta.progressToken : undefined
      const given = withToken(params, id)
      pending.set(id, { ...sink, token: isRequestId(token) ? token : undefined })
      const line = JSON.stringify({ jsonrpc: '2.0', id, method, ...(given ? { params: given } : {}) })
      if (endedBy !== undefined || !running.write(line)) {
        pending.delete(id)
        const detail =
          endedBy === undefined ? 'The server does not read what it is sent' : `The server ended (${endedBy})`
        queueMicrotask(() => sink.onLost(detail, 'none'))
      }
      return {
        id,
        cancel: (reason) => {
          if (!pending.delete(id)) return
          running.write(
            JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id, reason } }),
          )
        },
      }
    },
    notify: (method, params) =>
      void running.write(JSON.stringify({ jsonrpc: '2.0', method, ...(params ? { params } : {}) })),
    answer: (id, body) => void running.write(JSON.stringify({ jsonrpc: '2.0', id, ...body })),
    listen: (next) => {
      listener = next
    },
    ended: () => endedBy,
    whenEnded,
    stop: running.stop,
  }
}

/** Answers a request of the server that nobody can be asked. */
export const refuseRequest = (peer: Peer, request: Incoming, why: string): void => {
  const id = request.message.id as RequestId
  if (request.message.method === 'ping') peer.answer(id, { result: {} })
  else peer.answer(id, { error: { code: RPC.methodNotFound, message: why } })
}
