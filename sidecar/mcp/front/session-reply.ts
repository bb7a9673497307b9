import type { ServerResponse } from 'node:http'
import type { RequestId } from '../../../lib/api/mcp.ts'
import { SSE_HEADERS } from '../../../lib/service/http.ts'
import { RECEIPT_HEADER, type Reply } from '../reply.ts'
import type { Session } from '../sessions.ts'
import type { Stream, Streams } from './streams.ts'

/** How long a call may take before its answer becomes a stream, so that an agent whose connection breaks can come back. */
const PRIME_MS = 2_000

/** The first revision whose clients know an event that says nothing. */
const PRIMED_SINCE = '2025-11-25'
export const isPrimed = ({ version }: Session): boolean => version >= PRIMED_SINCE

/**
 * The answer to a request in a session. A connection that breaks gives nothing up: the agent has a while to come back,
 * and without it a call has a while to end by itself.
 */
export const createSessionReply = (
  response: ServerResponse,
  { id: session, session: known }: { id: string; session: Session },
  about: RequestId,
  { streams, returnMs }: { streams: Streams; returnMs: number },
): Reply => {
  let stream: Stream | undefined
  let isAnswered = false
  let isGone = false
  let onGone: (() => void) | undefined
  let primer: NodeJS.Timeout | undefined
  let leaving: NodeJS.Timeout | undefined

  const leave = () => {
    isGone = true
    onGone?.()
  }
  const settle = () => {
    isAnswered = true
    clearTimeout(primer)
    clearTimeout(leaving)
  }
  const startStream = (primed: boolean) => {
    if (!stream && !response.destroyed) stream = streams.begin(response, { session, about, primed, onGone: leave })
  }
  response.once('close', () => {
    clearTimeout(primer)
    // A stream sees to it itself.
    if (!stream && !isAnswered) leaving = setTimeout(leave, returnMs).unref()
  })
  return {
    header: (name, value) => {
      if (!response.headersSent) response.setHeader(name, value)
    },
    receipt: (name) => {
      if (!response.headersSent) response.setHeader(RECEIPT_HEADER, name)
      if (isPrimed(known) && !isAnswered && !response.destroyed)
        primer ??= setTimeout(() => startStream(true), PRIME_MS).unref()
    },
    message: (raw) => {
      if (isAnswered || isGone) return
      // The message itself is what the agent can come back with.
      startStream(false)
      stream?.send(raw)
    },
    answer: (body, status = 200) => {
      if (isAnswered || isGone) return
      settle()
      const raw = typeof body === 'string' ? body : JSON.stringify(body)
      if (stream) return stream.end(raw)
      if (response.destroyed) return
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(raw) })
      response.end(raw)
    },
    none: () => {
      if (isAnswered || isGone) return
      settle()
      if (stream) stream.end()
      else if (!response.destroyed) response.writeHead(200, SSE_HEADERS).end()
    },
    whenGone: (then) => {
      onGone = then
      if (isGone) then()
    },
  }
}
