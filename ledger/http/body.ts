import type { IncomingMessage } from 'node:http'
import { UserError } from '../../lib/core/errors.ts'

/** Memory that bodies being read may take together. */
export interface BodyBudget {
  /** Reads a whole body of at most `maxBytes`. @throws UserError RequestTooLarge, LedgerBusy, MalformedRequest */
  read<T>(request: IncomingMessage, maxBytes: number, use: (body: Buffer) => Promise<T>): Promise<T>
}

/** Counts the bytes from the first one read until `use` is done with them. */
export const bodyBudget = (totalBytes: number): BodyBudget => {
  let held = 0

  const collect = async (
    request: IncomingMessage,
    maxBytes: number,
    hold: (bytes: number) => void,
  ): Promise<Buffer> => {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw new UserError('RequestTooLarge', { limit: `${maxBytes} bytes` })
      if (held + chunk.length > totalBytes) throw new UserError('LedgerBusy', { retryAfterSeconds: 1 })
      hold(chunk.length)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }
  return {
    read: async (request, maxBytes, use) => {
      if (Number(request.headers['content-length'] ?? 0) > maxBytes)
        throw new UserError('RequestTooLarge', { limit: `${maxBytes} bytes` })
      let mine = 0
      try {
        const body = await collect(request, maxBytes, (bytes) => {
          held += bytes
          mine += bytes
        }).catch((error) => {
          if (error instanceof UserError) throw error
          throw new UserError('MalformedRequest', { detail: 'the body ended early' })
        })
        return await use(body)
      } finally {
        held -= mine
      }
    },
  }
}
