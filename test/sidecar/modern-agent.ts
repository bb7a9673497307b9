import { HEADERS } from './raw-agent.ts'

export const MODERN = '2026-07-28'
/** What every request of 2026-07-28 says of its client. */
export const meta = (capabilities: object = {}, more: object = {}) => ({
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': capabilities,
  ...more,
})

const NAMED: Record<string, string> = { 'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri' }

/** The headers that repeat a request's body, as a client has to send them. */
export const mirrored = (method: string, params: Record<string, unknown>): Record<string, string> => ({
  'mcp-protocol-version': MODERN,
  'mcp-method': method,
  ...(NAMED[method] && params[NAMED[method]] !== undefined ? { 'mcp-name': String(params[NAMED[method]]) } : {}),
})

/** One request as bare bytes allow it; a header given as undefined is left out. */
export const send = (
  url: string,
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string | undefined> = {},
  id: number | string = 1,
): Promise<Response> => {
  const all: Record<string, string | undefined> = { ...HEADERS, ...mirrored(method, params), ...headers }
  return fetch(url, {
    method: 'POST',
    headers: Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { _meta: meta(), ...params } }),
  })
}

/** The messages of an event stream, without events that say nothing. */
export const eventsOf = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)))
