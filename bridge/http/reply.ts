import type { ServerResponse } from 'node:http'
import { SSE_HEADERS } from '../../lib/service/http.ts'

const KEEPALIVE_MS = 10_000
/** An answer that takes longer comes as a stream, whose comments keep the connection. */
const PATIENCE_MS = 2_000

const event = (text: string) => `event: message\ndata: ${text}\n\n`

/** An event stream to a client that is given up when it does not read. */
export interface Stream {
  /** False when nobody reads it any more. */
  write: (text: string) => boolean
  end: () => void
}

export const openStream = (response: ServerResponse, maxHeld: number, headers: Record<string, string> = {}): Stream => {
  response.writeHead(200, { ...SSE_HEADERS, ...headers })
  response.flushHeaders()
  const keepalive = setInterval(() => response.write(': open\n\n'), KEEPALIVE_MS)
  response.once('close', () => clearInterval(keepalive))
  return {
    write: (text) => {
      if (response.destroyed || response.writableEnded) return false
      if (response.writableLength > maxHeld) {
        response.destroy()
        return false
      }
      response.write(event(text))
      return true
    },
    end: () => {
      clearInterval(keepalive)
      response.end()
    },
  }
}

/** The response to one request: one JSON object, or a stream once there is something to say before the answer. */
export interface Reply {
  /** False when nobody reads it any more. */
  notify: (text: string) => boolean
  answer: (text: string, status?: number) => void
  /** Ends without an answer, as a request that was given up does. */
  drop: () => void
  isOpen: () => boolean
}

export const createReply = (
  response: ServerResponse,
  options: { maxHeld: number; headers?: Record<string, string>; onGone: () => void },
): Reply => {
  let stream: Stream | undefined
  let done = false
  const upgrade = () => {
    stream ??= openStream(response, options.maxHeld, options.headers)
    return stream
  }
  const timer = setTimeout(() => {
    if (!done && !response.destroyed) upgrade()
  }, PATIENCE_MS)
  response.once('close', () => {
    clearTimeout(timer)
    if (done) return
    done = true
    options.onGone()
  })
  const isOpen = () => !done && !response.destroyed
  return {
    isOpen,
    notify: (text) => isOpen() && upgrade().write(text),
    answer: (text, status = 200) => {
      if (!isOpen()) return
      done = true
      clearTimeout(timer)
      if (stream) {
        stream.write(text)
        stream.end()
        return
      }
      response.writeHead(status, { 'content-type': 'application/json', ...options.headers })
      response.end(text)
    },
    drop: () => {
      if (!isOpen()) return
      done = true
      clearTimeout(timer)
      upgrade().end()
    },
  }
}
