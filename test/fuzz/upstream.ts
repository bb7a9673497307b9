import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TOOLS } from './policy.ts'
import { scan, sliceAt } from './scan.ts'
import { SECRET } from './values.ts'

/** One `tools/call` as its bytes came in. */
export interface Forwarded {
  server: string
  tool: string
  /** SHA-256 (hex) of the bytes of params.arguments. */
  digest: string
  arguments: string
  traceId: string
  /** Milliseconds since the epoch. */
  at: number
  endedAt: number
  isError: boolean
}

const textAt = (text: string | undefined): string => (text === undefined ? '' : String(JSON.parse(text)))

/** The server that speaks 2026-07-28; the others have sessions. */
const MODERN = 'files'
/** What goes up besides calls and lists of tools: nothing that a rule would have to give. */
const UNDECIDED = new Set(['ping', 'logging/setLevel', 'server/discover'])

/**
 * The server behind the gate, for every name: speaks MCP over bare HTTP and keeps what it was asked to do, read from
 * the bytes alone. `broken` holds what no server should ever get.
 */
export const startUpstream = async () => {
  const forwarded: Forwarded[] = []
  const broken: string[] = []

  const call = (server: string, text: string): { entry: Forwarded; id: string } => {
    const whole = scan(text)
    const at = (...path: string[]) => sliceAt(text, whole, path)
    const given = at('params', 'arguments') ?? '{}'
    const entry: Forwarded = {
      server,
      tool: textAt(at('params', 'name')),
      digest: createHash('sha256').update(given).digest('hex'),
      arguments: given,
      traceId: textAt(at('params', '_meta', 'traceparent')).split('-')[1] ?? '',
      at: Date.now(),
      endedAt: Number.POSITIVE_INFINITY,
      // Some calls fail, by nothing but what they are.
      isError: createHash('md5').update(given).digest()[0]! < 24,
    }
    forwarded.push(entry)
    return { entry, id: at('id') ?? 'null' }
  }

  const resultOf = ({ tool, isError, arguments: given }: Forwarded): object => {
    if (tool === 'stat') {
      const owner = createHash('md5').update(given).digest()[1]! < 128 ? 'billing-team' : 'others'
      return { content: [], structuredContent: { owner, status: 'open' } }
    }
    if (tool === 'transfer')
      return { content: [], structuredContent: { iban: `${SECRET}of-the-server`, booked: true }, isError }
    return { content: [{ type: 'text', text: isError ? 'refused by the server' : 'done' }], isError }
  }

  const answer = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const server = (request.url ?? '').slice(1)
    const text = body.toString('utf8')
    const message = JSON.parse(text) as { id?: unknown; method: string; params?: Record<string, unknown> }
    const mirrored = request.headers['mcp-method']
    if (mirrored !== undefined) {
      const { name } = message.params ?? {}
      const isRepeated = mirrored === message.method && request.headers['mcp-name'] === name
      if (server !== MODERN || !isRepeated) broken.push(`headers that are not of the body: ${text.slice(0, 500)}`)
    } else if (server === MODERN) broken.push(`a request of a session: ${text.slice(0, 500)}`)
    const reply = (id: string, given: object) => {
      const result = mirrored === undefined ? given : { resultType: 'complete', ...given }
      const bytes = Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`)
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
      response.end(bytes)
    }
    if (message.method === 'server/discover' && server === MODERN)
      reply(JSON.stringify(message.id), { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ttlMs: 0 })
    else if (message.method === 'tools/call') {
      const { entry, id } = call(server, text)
      const end = () => {
        entry.endedAt = Date.now()
        reply(id, resultOf(entry))
      }
      // Long enough that calls of the same tool meet.
      if (entry.tool === 'list_invoices') setTimeout(end, 15)
      else end()
    } else if (message.id === undefined) response.writeHead(202).end()
    else if (message.method === 'initialize')
      reply(JSON.stringify(message.id), {
        protocolVersion: message.params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'fuzzed', version: '1' },
      })
    else if (message.method === 'tools/list')
      reply(JSON.stringify(message.id), { tools: TOOLS[server as keyof typeof TOOLS] ?? [] })
    else {
      if (!UNDECIDED.has(message.method)) broken.push(`${message.method}, which no policy gives: ${text.slice(0, 500)}`)
      reply(JSON.stringify(message.id), {})
    }
  }

  const listener = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.method !== 'POST') return void response.writeHead(405).end()
      const body = Buffer.concat(chunks)
      try {
        answer(request, response, body)
      } catch (error) {
        broken.push(`${(error as Error).message}: ${body.toString('latin1').slice(0, 500)}`)
        response.writeHead(500).end()
      }
    })
  })
  // A connection closed for idling at the moment it is used again would be a call that did not arrive.
  listener.keepAliveTimeout = 600_000
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return {
    url: (server: string) => `http://127.0.0.1:${(listener.address() as AddressInfo).port}/${server}`,
    /** What came since the last time it was asked. */
    take: () => ({ forwarded: forwarded.splice(0), broken: broken.splice(0) }),
    close: () =>
      new Promise<void>((resolve) => {
        listener.close(() => resolve())
        listener.closeAllConnections()
      }),
  }
}
export type Upstream = Awaited<ReturnType<typeof startUpstream>>
