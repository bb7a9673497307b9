import type { ServerResponse } from 'node:http'
import { HTTP_STATUS } from '../../lib/api/mcp.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import { SSE_HEADERS } from '../../lib/service/http.ts'

/** The answer to one POST: a JSON body, or an event stream from the first message that comes before the answer. */
export interface Reply {
  header: (name: string, value: string) => void
  /** The request is recorded under this name, and leaves. */
  receipt: (name: string) => void
  /** A message before the answer. */
  message: (raw: string) => void
  answer: (raw: string | JsonObject, status?: number) => void
  /** Ends without an answer: the agent has said it does not want one. */
  none: () => void
  /** Calls once nobody listens any more, before an answer was given. */
  whenGone: (then: () => void) => void
}

/** One server-sent event holding a JSON text; with an `id` its stream can be gone on with after it. */
export const sseEvent = (raw: string, id?: string): string =>
  `event: message\n${id === undefined ? '' : `id: ${id}\n`}${raw
    .split(/\r\n|\n|\r/)
    .map((line) => `data: ${line}\n`)
    .join('')}\n`

/** By which header an agent hears the name of its request's receipt. */
export const RECEIPT_HEADER = 'remit-receipt'
/** How often a stream says that it is open, so that nobody on the way takes it for dead. */
export const KEEPALIVE_MS = 15_000
/**
 * Writes an event to an agent; hangs up on one that leaves more than `maxBytes` unread, because what a server sends must
 * not pile up here.
 */
export const writeEvent = (response: ServerResponse, raw: string, maxBytes: number): void => {
  if (response.destroyed) return
  response.write(sseEvent(raw))
  if (response.writableLength > maxBytes) response.destroy()
}

/** `maxUnread`: bytes of messages before the answer that may wait for the agent to read them. */
export const createReply = (response: ServerResponse, maxUnread: number): Reply => {
  let streaming = false
  const startStream = () => {
    if (streaming) return
    streaming = true
    response.writeHead(200, SSE_HEADERS)
  }
  const header: Reply['header'] = (name, value) => {
    if (!response.headersSent) response.setHeader(name, value)
  }
  return {
    header,
    receipt: (name) => header(RECEIPT_HEADER, name),
    message: (raw) => {
      if (response.destroyed) return
      startStream()
      writeEvent(response, raw, maxUnread)
    },
    answer: (body, status = 200) => {
      if (response.destroyed || response.writableEnded) return
      const raw = typeof body === 'string' ? body : JSON.stringify(body)
      if (streaming) {
        response.end(sseEvent(raw))
        return
      }
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(raw) })
      response.end(raw)
    },
    none: () => {
      if (response.destroyed || response.writableEnded) return
      startStream()
      response.end()
    },
    whenGone: (then) => {
      response.once('close', () => {
        if (!response.writableFinished) then()
      })
    },
  }
}

/** The reply to a request of the modern revision: no event has an id, and every result says what it is. */
export const createModernReply = (response: ServerResponse, maxUnread: number): Reply => {
  const base = createReply(response, maxUnread)
  return {
    ...base,
    answer: (body, status) => {
      const full = typeof body === 'string' ? body : withType(body)
      base.answer(full, status ?? statusOf(full))
    },
  }
}

const withType = (body: JsonObject): JsonObject => {
  const { result } = body
  return typeof result === 'object' && result !== null && !Array.isArray(result) && result.resultType === undefined
    ? { ...body, result: { resultType: 'complete', ...result } }
    : body
}

const SHORT = 64 * 1024

const statusOf = (body: string | JsonObject): number => {
  let parsed: unknown = body
  if (typeof body === 'string') {
    if (body.length > SHORT || !body.includes('"error"')) return 200
    parsed = JSON.parse(body)
  }
  const { error } = parsed as { error?: { code?: unknown } }
  return HTTP_STATUS[Number(error?.code)] ?? 200
}
