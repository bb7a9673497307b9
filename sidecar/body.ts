import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Bytes, createBytes } from '../lib/core/bytes.ts'

/** Bytes of requests that the gate holds together; an agent that sends much at once must not exhaust its memory. */
export interface HeldBytes {
  held: number
  readonly most: number
}

/**
 * All bytes of a request, or undefined when there are more than `limit`, or more than may be held with those of other
 * requests (the rest is read and thrown away for a moment, so that the client gets to read the answer). They count as
 * held until the response is closed. Rejects when the client goes away first.
 */
export const readBody = (
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
  bytes: HeldBytes,
): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    let body: Bytes | undefined = createBytes()
    let size = 0
    let counted = 0
    let refused = Number(request.headers['content-length'] ?? 0) > limit
    const release = () => {
      bytes.held -= counted
      counted = 0
      body = undefined
    }
    response.once('close', release)
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      refused ||= size > limit || bytes.held + chunk.length > bytes.most
      if (refused) {
        release()
        resolve(undefined)
        return
      }
      bytes.held += chunk.length
      counted += chunk.length
      body?.add(chunk)
    })
    request.once('end', () => resolve(refused ? undefined : body?.take()))
    request.once('error', reject)
    request.once('close', () => {
      // After every request there is a close, and an error costs a stack trace.
      if (!request.readableEnded) reject(new Error('the client went away'))
    })
  })

const LINGER_MS = 2_000

/** Answers a request whose body is not wanted, and ends its connection once the client had time to read that. */
export const refuseBody = (request: IncomingMessage, response: ServerResponse, status: number, body: string): void => {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.write(body)
  const end = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(() => {
    end()
    request.destroy()
  }, LINGER_MS)
  request.once('end', end)
  request.once('close', end)
  request.resume()
}
