import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * All bytes of a request, or undefined when there are more than `limit` (the rest is read and thrown away for a
 * moment, so that the client gets to read the answer). Rejects when the client goes away first.
 */
export const readBody = (request: IncomingMessage, limit: number): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const declared = Number(request.headers['content-length'] ?? 0)
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) chunks.push(chunk)
      else chunks.length = 0
      if (size > limit || declared > limit) resolve(undefined)
    })
    request.once('end', () =>
      resolve(size > limit ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)),
    )
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
