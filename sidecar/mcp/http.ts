import type { IncomingMessage, ServerResponse } from 'node:http'
import type { JsonObject } from '../../lib/core/json-rpc.ts'

/** Answers with a JSON body. */
export const send = (response: ServerResponse, status: number, body: JsonObject) => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
/** A header's text, undefined when it is not there. */
export const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
/** Whether an answer may be of all of these media types. */
export const accepts = (request: IncomingMessage, ...types: string[]) => {
  const accepted = (header(request, 'accept') ?? '').toLowerCase()
  return accepted.includes('*/*') || types.every((type) => accepted.includes(type))
}
