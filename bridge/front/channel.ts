import type { ServerResponse } from 'node:http'
import type { RequestId } from '../../lib/api/mcp.ts'
import { createReply, openStream, type Reply, type Stream } from '../http/reply.ts'

const MAX_WAITING = 100
/** Time for a client to see that its cancellation arrived before its stream ends. */
const DROP_MS = 2_000

/** The ways to the client of one session: the streams of its requests and the one it opened by GET. */
export interface Channel {
  /** The reply to a request. `onGone`: the client went away; its request goes on, as the protocol has it. */
  open: (id: RequestId, response: ServerResponse) => Reply
  close: (id: RequestId) => void
  /** Ends a request that was given up, without an answer, a moment from now. */
  drop: (id: RequestId) => void
  has: (id: RequestId) => boolean
  /** Sends what belongs to no certain request: with the newest that is under way, by GET, or when either comes. */
  send: (text: string) => void
  /** Takes the place of the stream before. */
  listen: (response: ServerResponse) => void
  isListening: () => boolean
  end: () => void
}

export const createChannel = (options: { maxHeld: number; headers: Record<string, string> }): Channel => {
  const replies = new Map<RequestId, Reply>()
  let stream: Stream | undefined
  let waiting: string[] = []
  const flush = (write: (text: string) => boolean) => {
    const texts = waiting
    waiting = []
    for (const text of texts) write(text)
  }
  return {
    open: (id, response) => {
      const reply = createReply(response, { ...options, onGone: () => {} })
      replies.set(id, reply)
      if (!stream) flush(reply.notify)
      return reply
    },
    close: (id) => void replies.delete(id),
    drop: (id) => {
      setTimeout(() => {
        replies.get(id)?.drop()
        replies.delete(id)
      }, DROP_MS)
    },
    has: (id) => replies.has(id),
    send: (text) => {
      const newest = [...replies.values()].filter((reply) => reply.isOpen()).at(-1)
      if (newest?.notify(text) || stream?.write(text)) return
      waiting.push(text)
      const size = () => waiting.reduce((sum, { length }) => sum + length, 0)
      while (waiting.length > MAX_WAITING || size() > options.maxHeld) waiting.shift()
    },
    listen: (response) => {
      stream?.end()
      const opened = openStream(response, options.maxHeld, options.headers)
      stream = opened
      response.once('close', () => {
        if (stream === opened) stream = undefined
      })
      flush(opened.write)
    },
    isListening: () => stream !== undefined,
    end: () => {
      stream?.end()
      for (const reply of replies.values()) reply.drop()
      replies.clear()
    },
  }
}
