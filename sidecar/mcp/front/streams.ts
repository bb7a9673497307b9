import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { RequestId } from '../../../lib/api/mcp.ts'
import { SSE_HEADERS } from '../../../lib/service/http.ts'
import { KEEPALIVE_MS, sseEvent } from '../reply.ts'
import { type EventId, writeEventId } from './event-id.ts'

/** How soon an agent whose connection ended is to come back. */
const RETRY_MS = 1_000
/** Events of one stream that are kept, and streams that can be gone on with. */
const MAX_EVENTS = 1_000
const MAX_STREAMS = 1_000

export interface StreamOptions {
  /** Whose it is: no other can go on with it. */
  session: string
  /** The request it answers; a session's own stream answers none. */
  about?: RequestId
  /** Begins with an event that says nothing, to come back with before there is another; 2025-11-25 has that. */
  primed: boolean
  /** Nobody listens, and nobody came back in time; not called of a stream that has ended. */
  onGone: () => void
}

/** Events to an agent in its session, over one connection after the other. */
export interface Stream {
  isConnected: () => boolean
  /** Sends a message; it is kept for an agent that comes back. */
  send: (raw: string) => void
  /** Ends the stream, with its last message where there is one. */
  end: (raw?: string) => void
  /** Ends the connection alone: the agent is to come back. */
  pause: () => void
}

export interface Streams {
  begin: (response: ServerResponse, options: StreamOptions) => Stream
  /**
   * Goes on with a stream of this session after the event the agent saw last, with nothing of any other. `over`: it has
   * all there was; `lost`: what came since is not kept.
   */
  resume: (response: ServerResponse, session: string, seen: EventId) => 'resumed' | 'over' | 'lost'
  /** Ends all streams of a session for good. */
  endSession: (session: string) => void
}

/** A stream that can be gone on with. */
interface Open {
  session: string
  events: { n: number; text: string }[]
  resume: (response: ServerResponse, after: number) => ReturnType<Streams['resume']>
  close: () => void
}

/**
 * @param maxBytes of events kept of all streams together, and of those one connection may leave unread
 * @param returnMs how long an agent may take to come back
 */
export const createStreams = ({ maxBytes, returnMs }: { maxBytes: number; returnMs: number }): Streams => {
  /** The one that was quiet longest first. */
  const streams = new Map<string, Open>()
  let bytes = 0

  const makeRoom = () => {
    for (const { events } of streams.values()) {
      while (bytes > maxBytes && events.length > 0) bytes -= events.shift()!.text.length
      if (bytes <= maxBytes) return
    }
  }

  const begin: Streams['begin'] = (first, { session, about, primed, onGone }) => {
    const id = randomUUID()
    const idAt = (at: EventId['at']) => writeEventId({ stream: id, ...(about === undefined ? {} : { about }), at })
    const events: Open['events'] = []
    let response = first
    let last = 0
    let isOver = false
    let isGone = false
    let timer: NodeJS.Timeout | undefined

    const leave = () => {
      if (isGone) return
      isGone = true
      clearTimeout(timer)
      streams.delete(id)
      for (const { text } of events.splice(0)) bytes -= text.length
      if (!isOver) onGone()
    }
    const write = (text: string) => {
      if (response.destroyed || response.writableEnded) return
      response.write(text)
      // What nobody reads must not pile up here.
      if (response.writableLength <= maxBytes) return
      leave()
      response.destroy()
    }
    const connect = (next: ServerResponse) => {
      clearTimeout(timer)
      response = next
      const wait = () => {
        if (next === response && !isGone) timer = setTimeout(leave, returnMs).unref()
      }
      if (next.destroyed) return wait()
      next.writeHead(200, SSE_HEADERS)
      next.flushHeaders()
      const keepalive = setInterval(() => write(': open\n\n'), KEEPALIVE_MS)
      next.once('close', () => {
        clearInterval(keepalive)
        wait()
      })
    }
    const push = (raw: string, at: 'end' | undefined) => {
      last++
      const text = sseEvent(raw, idAt(at ?? last))
      if (streams.delete(id)) {
        streams.set(id, open)
        events.push({ n: last, text })
        bytes += text.length
        if (events.length > MAX_EVENTS) bytes -= events.shift()!.text.length
        makeRoom()
      }
      write(text)
    }
    const close = () => {
      leave()
      response.end()
    }
    const open: Open = {
      session,
      events,
      close,
      resume: (next, after) => {
        if (isOver && after >= last) return 'over'
        const missed = events.filter(({ n }) => n > after)
        // Of what only tells how far something is, some may be missing; the answer may not.
        if (isOver && missed.at(-1)?.n !== last) return 'lost'
        const before = response
        connect(next)
        before.destroy()
        for (const { text } of missed) write(text)
        if (isOver) next.end()
        return 'resumed'
      },
    }
    if (streams.size < MAX_STREAMS) streams.set(id, open)
    connect(first)
    if (primed) write(`id: ${idAt(0)}\nretry: ${RETRY_MS}\ndata: \n\n`)
    return {
      isConnected: () => !response.destroyed && !response.writableEnded,
      send: (raw) => {
        if (!isGone && !isOver) push(raw, undefined)
      },
      end: (raw) => {
        if (isGone || isOver) return
        isOver = true
        if (raw !== undefined) push(raw, 'end')
        response.end()
      },
      pause: () => response.end(),
    }
  }
  return {
    begin,
    resume: (response, session, { stream, at }) => {
      if (at === 'end') return 'over'
      const open = streams.get(stream)
      return open?.session === session ? open.resume(response, at) : 'lost'
    },
    endSession: (session) => {
      for (const open of [...streams.values()]) if (open.session === session) open.close()
    },
  }
}
