import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { Receipt } from '../../lib/api/receipt.ts'

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  json: any
}
export interface Event {
  at: number
  name?: string
  data?: string
  comment?: string
}
export interface LedgerClient {
  send(
    method: string,
    path: string,
    options?: { token?: string; body?: string | Buffer; headers?: Record<string, string> },
  ): Promise<Answer>
  post(token: string, receipts: Receipt[]): Promise<Answer>
  /** The answer before anything of its body was read. */
  open(token: string, path: string): Promise<IncomingMessage>
  /** Follows the remit stream; events are kept in order. */
  follow(token: string): Promise<{ status: number; events: Event[]; ended: Promise<void>; close(): void }>
  close(): void
}

export const ndjson = (receipts: Receipt[]): string => receipts.map((r) => `${JSON.stringify(r)}\n`).join('')

/** The wire as a sidecar speaks it. */
export const ledgerClient = (target: {
  port: number
  ca: string
  servername: string
  cert?: string
  key?: string
}): LedgerClient => {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  const open = (method: string, path: string, headers: Record<string, string>, body?: string | Buffer) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { port, ...tls } = target
      const message = request({ host: '127.0.0.1', port, method, path, headers, agent, ...tls }, resolve)
      message.on('error', reject)
      message.end(body)
    })
  const bearer = (token?: string): Record<string, string> => (token ? { authorization: `Bearer ${token}` } : {})
  const send: LedgerClient['send'] = async (method, path, { token, body, headers } = {}) => {
    const message = await open(method, path, { ...bearer(token), ...headers }, body)
    let text = ''
    message.setEncoding('utf8')
    for await (const chunk of message) text += chunk
    const isJson = message.headers['content-type']?.startsWith('application/json')
    return {
      status: message.statusCode ?? 0,
      headers: message.headers,
      text,
      json: isJson && text ? JSON.parse(text) : undefined,
    }
  }
  return {
    send,
    post: (token, receipts) =>
      send('POST', '/v1/receipts', {
        token,
        body: ndjson(receipts),
        headers: { 'content-type': 'application/x-ndjson' },
      }),
    open: (token, path) => open('GET', path, bearer(token)),
    follow: async (token) => {
      const message = await open('GET', '/v1/remit', { ...bearer(token), accept: 'text/event-stream' })
      const events: Event[] = []
      let buffer = ''
      message.setEncoding('utf8')
      message.on('data', (chunk: string) => {
        buffer += chunk
        const blocks = buffer.split('\n\n')
        buffer = blocks.pop() ?? ''
        for (const block of blocks) events.push(parse(block))
      })
      const ended = new Promise<void>((resolve) => message.once('close', resolve))
      message.on('error', () => undefined)
      return { status: message.statusCode ?? 0, events, ended, close: () => message.destroy() }
    },
    close: () => agent.destroy(),
  }
}

const parse = (block: string): Event => {
  const event: Event = { at: Date.now() }
  for (const line of block.split('\n')) {
    if (line.startsWith(':')) event.comment = line.slice(1).trim()
    else if (line.startsWith('event: ')) event.name = line.slice(7)
    else if (line.startsWith('data: ')) event.data = line.slice(6)
  }
  return event
}
