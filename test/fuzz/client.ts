import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { FuzzRequest, ServerName } from './requests.ts'

export interface Answer {
  /** 0 when the connection broke before there was an answer. */
  status: number
  headers: IncomingHttpHeaders
  text: string
}
const VERSION = '2025-11-25'
const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
/** Far beyond what any answer takes; whoever waits this long waits for ever. */
const PATIENCE_MS = 20_000

/** One agent: a kept connection, and a session with every server. */
export interface Client {
  send: (sent: FuzzRequest) => Promise<Answer>
  close: () => void
}

export const connectClient = async (port: number, servers: readonly ServerName[]): Promise<Client> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const sessions = new Map<string, string>()

  const post = (path: string, body: Buffer, headers: Record<string, string | undefined>): Promise<Answer> =>
    new Promise((resolve) => {
      const set = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
      const outgoing = httpRequest(
        {
          agent,
          host: '127.0.0.1',
          port,
          path,
          method: 'POST',
          headers: { ...(set as Record<string, string>), 'content-length': body.length },
          timeout: PATIENCE_MS,
        },
        (response) => {
          const chunks: Buffer[] = []
          const done = () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString('utf8'),
            })
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', done)
          response.on('error', done)
        },
      )
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
      outgoing.on('error', (error) => resolve({ status: 0, headers: {}, text: error.message }))
      outgoing.end(body)
    })

  for (const server of servers) {
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } },
    })
    const { headers, text } = await post(`/mcp/${server}`, Buffer.from(body), HEADERS)
    if (typeof headers['mcp-session-id'] !== 'string') throw new Error(`no session: ${text}`)
    sessions.set(server, headers['mcp-session-id'])
  }
  return {
    send: ({ server, body, headers }) =>
      post(`/mcp/${server}`, body, {
        ...HEADERS,
        'mcp-session-id': sessions.get(server) ?? sessions.get('bank'),
        'mcp-protocol-version': VERSION,
        ...headers,
      }),
    close: () => agent.destroy(),
  }
}
