import type { IncomingMessage } from 'node:http'
import { type JsonObject, type RequestId } from './messages.ts'
/** A message of a server: parsed, and the text it came as (which is passed on, so that nothing of it changes). */
export interface ServerMessage {
  message: JsonObject
  raw: string
}
/** Reads a server's event stream message by message until it ends; rejects when it breaks or a message is not one. */
export declare const readStream: (
  response: IncomingMessage,
  options: {
    maxBytes: number
    signal: AbortSignal
    onMessage: (message: ServerMessage) => void
  },
) => Promise<void>
/**
 * The server's answer to request `id`, from a JSON body or an event stream; what else comes on the stream goes to
 * `onMessage` in order. Rejects with UpstreamFailure for everything that is not MCP.
 */
export declare const readAnswer: (
  response: IncomingMessage,
  options: {
    id: RequestId
    maxBytes: number
    signal: AbortSignal
    onMessage: (message: ServerMessage) => void
  },
) => Promise<ServerMessage>
