import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Reply, SSE_HEADERS, sseEvent } from '../reply.ts'

/** How long a stream that broke off waits for the agent to come back. */
const RESUME_MS = 10_000
const MAX_STREAMS = 1_000

interface Stream {
  session: string
  attach: (response: ServerResponse, after: number) => void
}

/** The event streams of agents with sessions, which go on where they broke off. */
export interface Streams {
  reply: (response: ServerResponse, session: string, maxUnread: number) => Reply
  /** Goes on after the event the agent names; false when there is no such stream in its session. */
  resume: (request: IncomingMessage, response: ServerResponse, session: string) => boolean
}

export const createStreams = (): Streams => {
  const streams = new Map<string, Stream>()

  const reply: Streams['reply'] = (first, session, maxUnread) => {
    let id = ''
    let response = first
    let streaming = false
    let ended = false
    let left = false
    let timer: NodeJS.Timeout | undefined
    let onGone: (() => void) | undefined
    const events: { n: number; text: string }[] = []
    let bytes = 0
    let count = 0

    const leave = () => {
      if (left) return
      left = true
      clearTimeout(timer)
      streams.delete(id)
      if (!ended) onGone?.()
    }
    const watch = () => {
      const watched = response
      watched.once('close', () => {
        if (watched !== response) return
        if (watched.writableFinished || left) {
          leave()
          return
        }
        // Before the first event the agent has nothing to come back with.
        if (count === 0) leave()
        else timer = setTimeout(leave, RESUME_MS).unref()
      })
    }
    const write = (text: string) => {
      if (!response.destroyed) response.write(text)
      // What nobody reads must not pile up here.
      if (response.writableLength > maxUnread) {
        leave()
        response.destroy()
      }
    }
    const push = (raw: string) => {
      count++
      const text = sseEvent(raw, `${id}_${count}`)
      events.push({ n: count, text })
      bytes += text.length
      while (bytes > maxUnread && events.length > 1) bytes -= events.shift()!.text.length
      write(text)
    }
    const startStream = () => {
      if (streaming) return
      streaming = true
      id = randomUUID()
      if (streams.size < MAX_STREAMS) streams.set(id, stream)
      if (!response.destroyed) response.writeHead(200, SSE_HEADERS)
    }
    const stream: Stream = {
      session,
      attach: (next, after) => {
        clearTimeout(timer)
        response.destroy()
        response = next
        next.writeHead(200, SSE_HEADERS)
        watch()
        for (const { n, text } of events) if (n > after) write(text)
        if (ended) next.end()
      },
    }
    watch()
    return {
      header: (name, value) => {
        if (!response.headersSent) response.setHeader(name, value)
      },
      message: (raw) => {
        if (left || ended) return
        startStream()
        push(raw)
      },
      answer: (body, status = 200) => {
        if (left || ended) return
        const raw = typeof body === 'string' ? body : JSON.stringify(body)
        ended = true
        if (streaming) {
          push(raw)
          response.end()
          return
        }
        response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(raw) })
        response.end(raw)
      },
      none: () => {
        if (left || ended) return
        ended = true
        if (!streaming && !response.destroyed) response.writeHead(200, SSE_HEADERS)
        response.end()
      },
      whenGone: (then) => {
        onGone = then
        if (left) then()
      },
    }
  }
  return {
    reply,
    resume: (request, response, session) => {
      const [id = '', n = ''] = String(request.headers['last-event-id']).split('_')
      const stream = streams.get(id)
      if (!stream || stream.session !== session || !/^\d{1,9}$/.test(n)) return false
      stream.attach(response, Number(n))
      return true
    },
  }
}
