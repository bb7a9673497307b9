import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { StringDecoder } from 'node:string_decoder'
import type { ResultBody } from '../../lib/api/receipt.ts'
import { UpstreamFailure } from '../upstream.ts'
import { createUsageReader, type Usage } from './usage.ts'

/** Of the model's answer: what ends at this hop, and what only the gate says. */
const NOT_PASSED_BACK = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'set-cookie',
  'remit-receipt',
])

/** What came of an answer on its way to the agent. */
export interface Streamed {
  outcome: ResultBody['outcome']
  usage: Usage
  bytes: number
  error?: string
}

/** Passes the answer on as it comes, at the agent's pace, and reads along. */
export const stream = (upstream: IncomingMessage, response: ServerResponse): Promise<Streamed> => {
  const headers: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(upstream.headers)) if (!NOT_PASSED_BACK.has(name)) headers[name] = value
  response.writeHead(upstream.statusCode ?? 502, headers)
  response.flushHeaders()
  const reader = createUsageReader(String(upstream.headers['content-type'] ?? '').toLowerCase())
  const decoder = new StringDecoder('utf8')
  let bytes = 0
  upstream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    reader.feed(decoder.write(chunk))
    if (!response.write(chunk)) upstream.pause()
  })
  response.on('drain', () => upstream.resume())
  return new Promise((resolve) => {
    const status = upstream.statusCode ?? 502
    upstream.once('end', () => {
      const failed = status >= 400
      resolve({
        outcome: failed ? 'error' : 'ok',
        usage: reader.end(),
        bytes,
        ...(failed ? { error: String(status) } : {}),
      })
    })
    upstream.once('error', (error) => {
      const kind = error instanceof UpstreamFailure ? error.kind : response.destroyed ? 'cancelled' : 'unreachable'
      resolve({ outcome: kind, usage: reader.end(), bytes, error: kind })
    })
  })
}
