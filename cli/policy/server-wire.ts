import { createParser } from 'eventsource-parser'
import { HEADER } from '../../lib/api/mcp.ts'
import { UserError } from '../../lib/core/errors.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { parseStrict } from '../../lib/core/strict.ts'

const MAX_BYTES = 16 * 1024 * 1024

export interface Answered {
  status: number
  /** Of a status that is not 2xx only where it has one. */
  message: JsonObject | undefined
  /** The session that the server named. */
  session: string | undefined
}

/** An MCP server over Streamable HTTP, message by message, in whatever revision the headers and bodies are. */
export interface ServerWire {
  /** Rejects with UserError(UpstreamInvalid) for what is no answer, else as `fetch` does. */
  ask: (request: Question, headers: Record<string, string>, signal: AbortSignal) => Promise<Answered>
  /** Tells what has no answer: a notification, or without one that the session is over. */
  tell: (notification: JsonObject | undefined, headers: Record<string, string>, signal: AbortSignal) => Promise<void>
  invalid: (detail: string) => UserError
}
export interface Question {
  method: string
  params: JsonObject
}

/** @param token sent as bearer */
export const createServerWire = (server: string, url: string, token?: string): ServerWire => {
  const invalid = (detail: string) => new UserError('UpstreamInvalid', { server, detail })
  let lastId = 0

  const send = (body: JsonObject | undefined, headers: Record<string, string>, signal: AbortSignal) =>
    fetch(url, {
      method: body === undefined ? 'DELETE' : 'POST',
      signal,
      redirect: 'error',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify({ jsonrpc: '2.0', ...body }),
    })

  return {
    invalid,
    ask: async ({ method, params }, headers, signal) => {
      const id = ++lastId
      const response = await send({ id, method, params }, headers, signal)
      const { ok, status } = response
      const session = response.headers.get(HEADER.session) ?? undefined
      // What refuses a request need not speak MCP.
      const message = await answerTo(response, id, invalid).catch((error: unknown) => {
        if (ok || !(error instanceof UserError)) throw error
        return undefined
      })
      return { status, message, session }
    },
    tell: async (notification, headers, signal) => {
      await (await send(notification, headers, signal)).body?.cancel()
    },
  }
}

/** The message with this id, from a JSON body or an event stream. */
async function answerTo(response: Response, id: number, invalid: (detail: string) => UserError): Promise<JsonObject> {
  const read = (text: string): JsonObject => {
    const parsed = parseStrict(text, { maxBytes: MAX_BYTES, maxNodes: 1_000_000 })
    if (!parsed.ok) throw invalid(parsed.detail)
    if (!isObject(parsed.value)) throw invalid('a message is not an object')
    return parsed.value
  }
  const type = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json' && type !== 'text/event-stream') {
    await response.body?.cancel()
    throw invalid(`content type ${type || 'missing'}`)
  }
  const messages: string[] = []
  const parser = createParser({ onEvent: ({ data }) => void messages.push(data) })
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw invalid(`more than ${MAX_BYTES} bytes`)
    if (type === 'application/json') {
      text += decoder.decode(chunk, { stream: true })
      continue
    }
    parser.feed(decoder.decode(chunk, { stream: true }))
    for (const data of messages.splice(0)) {
      const message = data === '' ? {} : read(data)
      // Leaving the loop ends the stream, which some servers would keep open.
      if (message.id === id && !('method' in message)) return message
    }
  }
  if (type === 'application/json') return read(text + decoder.decode())
  throw invalid('the stream ended without an answer')
}
