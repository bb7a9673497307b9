import { createParser } from 'eventsource-parser'
import type { ToolDefinition } from '../../lib/api/gen/types.ts'
import { HEADER, LEGACY_VERSIONS } from '../../lib/api/mcp.ts'
import { VERSION } from '../../lib/api/version.ts'
import { UserError } from '../../lib/core/errors.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import { type Json, parseStrict } from '../../lib/core/strict.ts'

const TIMEOUT_MS = 30_000
const MAX_BYTES = 16 * 1024 * 1024
/** A server that always names a next page ends here. */
const MAX_PAGES = 200

/**
 * The tools that an MCP server lists now, all pages of them.
 * @param token sent as bearer
 * @throws UserError UpstreamUnreachable, UpstreamInvalid, UpstreamTimeout
 */
export const listTools = async (server: string, url: string, token?: string): Promise<ToolDefinition[]> => {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const invalid = (detail: string) => new UserError('UpstreamInvalid', { server, detail })
  const session: Record<string, string> = {}
  let lastId = 0

  const send = (method: 'POST' | 'DELETE', body?: JsonObject): Promise<Response> =>
    fetch(url, {
      method,
      signal,
      redirect: 'error',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...session,
      },
      body: body === undefined ? null : JSON.stringify({ jsonrpc: '2.0', ...body }),
    })

  const ask = async (method: string, params: JsonObject): Promise<JsonObject> => {
    const id = ++lastId
    const response = await send('POST', { id, method, params })
    if (!response.ok) throw invalid(`HTTP ${response.status} to ${method}`)
    const answer = await answerTo(response, id, invalid)
    const named = response.headers.get(HEADER.session)
    if (named !== null) session[HEADER.session] = named
    if (isObject(answer.error)) throw invalid(`${method} was answered with: ${String(answer.error.message)}`)
    if (!isObject(answer.result)) throw invalid(`${method} was answered without a result`)
    return answer.result
  }

  try {
    const clientInfo = { name: 'remit', version: VERSION }
    const hello = await ask('initialize', { protocolVersion: LEGACY_VERSIONS[0], capabilities: {}, clientInfo })
    session[HEADER.version] = String(hello.protocolVersion)
    await (await send('POST', { method: 'notifications/initialized' })).body?.cancel()
    const tools: ToolDefinition[] = []
    let cursor: Json | undefined
    for (let page = 0; page === 0 || cursor !== undefined; page++) {
      if (page === MAX_PAGES) throw invalid(`more than ${MAX_PAGES} pages of tools`)
      const result = await ask('tools/list', cursor === undefined ? {} : { cursor })
      if (!Array.isArray(result.tools)) throw invalid('tools/list was answered without tools')
      for (const tool of result.tools) {
        if (!isObject(tool) || typeof tool.name !== 'string') throw invalid('it lists a tool without a name')
        tools.push(tool)
      }
      cursor = result.nextCursor
    }
    if (session[HEADER.session] !== undefined) await (await send('DELETE')).body?.cancel()
    return tools
  } catch (error) {
    if (error instanceof UserError) throw error
    if (signal.aborted) throw new UserError('UpstreamTimeout', { server, seconds: TIMEOUT_MS / 1000 })
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } }
    throw new UserError('UpstreamUnreachable', { server, detail: cause?.code ?? cause?.message ?? message })
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
  if (type !== 'application/json' && type !== 'text/event-stream') throw invalid(`content type ${type || 'missing'}`)
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
