import type { IncomingMessage, ServerResponse } from 'node:http'

/** Answers with a JSON body. */
export const send = (
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** A header's text; undefined when it is not there. */
export const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** Whether an answer may be of all of these media types. */
export const accepts = (request: IncomingMessage, ...types: string[]): boolean => {
  const accepted = (header(request, 'accept') ?? '').toLowerCase()
  return accepted.includes('*/*') || types.every((type) => accepted.includes(type))
}

/** Of an answer that is a stream of events: nothing on its way may keep them back. */
export const SSE_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const
