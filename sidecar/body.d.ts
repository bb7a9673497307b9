import type { IncomingMessage, ServerResponse } from 'node:http'
/**
 * All bytes of a request, or undefined when there are more than `limit` (the rest is read and thrown away for a
 * moment, so that the client gets to read the answer). Rejects when the client goes away first.
 */
export declare const readBody: (request: IncomingMessage, limit: number) => Promise<Buffer | undefined>
/** Answers a request whose body is not wanted, and ends its connection once the client had time to read that. */
export declare const refuseBody: (
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: string,
) => void
