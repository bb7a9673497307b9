import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Answer = (
  message: { id: number; method: string; params?: Record<string, unknown> },
  response: ServerResponse,
  request: IncomingMessage,
) => void

/** A result as a well-behaved server sends it. */
export const answerWith = (response: ServerResponse, id: unknown, result: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
}

/**
 * A real HTTP server that speaks MCP rightly but for its tool calls, which `call` answers however a broken server
 * might; `others` answer other methods. Keeps the requests it got.
 */
export const startRawServer = async (
  call: Answer,
  others: Record<string, Answer> = {},
  /** Gets the streams that clients listen on; without it there are none. */
  listen?: (response: ServerResponse) => void,
) => {
  const requests: { headers: IncomingMessage['headers']; body: string }[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.method === 'GET') {
        if (!listen) return void response.writeHead(405).end()
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        return listen(response)
      }
      if (request.method === 'DELETE') return void response.writeHead(200).end()
      const body = Buffer.concat(chunks).toString('utf8')
      requests.push({ headers: request.headers, body })
      const message = JSON.parse(body)
      if (message.id === undefined) return void response.writeHead(202).end()
      const other = others[message.method]
      if (other) return other(message, response, request)
      if (message.method === 'initialize') {
        response.setHeader('mcp-session-id', 'upstream-session')
        return answerWith(response, message.id, {
          protocolVersion: message.params.protocolVersion,
          capabilities: { tools: {}, prompts: {}, resources: { subscribe: true } },
          serverInfo: { name: 'raw', version: '1' },
        })
      }
      if (message.method === 'tools/list')
        return answerWith(response, message.id, {
          tools: [{ name: 'anything', inputSchema: { type: 'object' }, unknown: { kept: true } }],
          nextCursor: 'more',
        })
      if (message.method !== 'tools/call') return answerWith(response, message.id, {})
      call(message, response, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    requests,
    messages: () => requests.map(({ body }) => JSON.parse(body)),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
export type RawServer = Awaited<ReturnType<typeof startRawServer>>
