import { randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { createDesk, TOOLS } from './desk.ts'

/** The desk as servers were before 2026-07-28: sessions, begun by `initialize`. */
export const legacyDesk = (journal: string): RequestListener => {
  const call = createDesk(journal)
  const makeServer = () => {
    const server = new Server({ name: 'desk', version: '1.0.0' }, { capabilities: { tools: {} } })
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS }))
    server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal, _meta, sendNotification }) =>
      call({
        name: params.name,
        arguments: params.arguments ?? {},
        signal,
        progress: async (progress, total) => {
          const progressToken = _meta?.progressToken
          if (progressToken === undefined) return
          await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total } })
        },
      }),
    )
    return server
  }
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const begin = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (session) => void sessions.set(session, transport),
      onsessionclosed: (session) => void sessions.delete(session),
    })
    await makeServer().connect(transport)
    return transport
  }
  return async (request, response) => {
    const session = request.headers['mcp-session-id']
    const transport = typeof session === 'string' ? sessions.get(session) : await begin()
    if (transport) await transport.handleRequest(request, response)
    else response.writeHead(404).end()
  }
}
