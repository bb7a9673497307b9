import type { ServerResponse } from 'node:http'
import type { JsonObject } from './messages.ts'
/** The answer to one POST: a JSON body, or an event stream from the first message that comes before the answer. */
export interface Reply {
  header: (name: string, value: string) => void
  /** A message before the answer. */
  message: (raw: string) => void
  answer: (raw: string | JsonObject, status?: number) => void
  /** Ends without an answer: the agent has said it does not want one. */
  none: () => void
  /** Nobody listens any more. */
  gone: () => boolean
}
/** One server-sent event holding a JSON text. */
export declare const sseEvent: (raw: string) => string
export declare const SSE_HEADERS: {
  readonly 'content-type': 'text/event-stream'
  readonly 'cache-control': 'no-cache, no-transform'
}
export declare const createReply: (response: ServerResponse) => Reply
