import type { IncomingMessage, ServerResponse } from 'node:http'
import { RPC } from '../../lib/api/mcp.ts'
import { type Bytes, createBytes } from '../../lib/core/bytes.ts'
import { type Json, parseStrict } from '../../lib/core/strict.ts'
import { accepts, header, send } from '../../lib/service/http.ts'
import { rpcError } from '../json/rpc.ts'

const collect = (request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    let bytes: Bytes | undefined = createBytes()
    request.on('data', (chunk: Buffer) => {
      bytes?.add(chunk)
      if (!bytes || bytes.size() <= maxBytes) return
      bytes = undefined
      resolve(undefined)
    })
    request.once('end', () => resolve(bytes?.take()))
    request.once('error', reject)
    request.once('close', () => reject(new Error('the client went away')))
  })

/** The client takes an event stream. Otherwise it was answered so. */
export const takesStream = (request: IncomingMessage, response: ServerResponse): boolean => {
  if (accepts(request, 'text/event-stream')) return true
  send(response, 406, rpcError(null, RPC.transport, 'Accept must name text/event-stream.'))
  return false
}

/** The JSON of a POST, read so that every reader of it sees the same; undefined when it was answered already. */
export const readJson = async (
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<Json | undefined> => {
  const refuse = (status: number, code: number, message: string) => {
    send(response, status, rpcError(null, code, message), request.complete ? {} : { connection: 'close' })
    return undefined
  }
  if (!/^application\/json\s*(;|$)/i.test(header(request, 'content-type') ?? ''))
    return refuse(415, RPC.transport, 'Content-Type must be application/json.')
  if (!accepts(request, 'application/json', 'text/event-stream'))
    return refuse(406, RPC.transport, 'Accept must name application/json and text/event-stream.')
  const bytes = await collect(request, maxBytes)
  if (!bytes) return refuse(413, RPC.invalidRequest, `A message may have at most ${maxBytes} bytes.`)
  const parsed = parseStrict(bytes, { maxBytes })
  if (!parsed.ok) return refuse(400, RPC.parse, `The body is not one JSON text that all read alike: ${parsed.detail}.`)
  return parsed.value
}
