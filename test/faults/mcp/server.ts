/** A server on the official SDKs that keeps a journal, to be killed. Arguments: era (legacy or modern), port, journal. */
import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js'
import { type EventStore, StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { type Asked, createDesk, TOOLS } from './desk.ts'

const [era, port = '0', journal = ''] = process.argv.slice(2)
const desk = createDesk(journal)
const info = { name: 'desk', version: '1.0.0' }

const KEPT = 200

/** The last events of a session, for who comes back for them. */
const keepEvents = (): EventStore => {
  const events: { id: number; of: string; message: Parameters<EventStore['storeEvent']>[1] }[] = []
  let next = 0
  return {
    storeEvent: async (of, message) => {
      const id = next++
      events.push({ id, of, message })
      if (events.length > KEPT) events.shift()
      return `${id}`
    },
    replayEventsAfter: async (last, { send }) => {
      const of = events.find(({ id }) => id === Number(last))?.of ?? ''
      for (const event of [...events])
        if (event.of === of && event.id > Number(last)) await send(`${event.id}`, event.message)
      return of
    },
  }
}

const legacy = (): RequestListener => {
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const begin = async () => {
    const server = new LegacyServer(info, { capabilities: { tools: {} } })
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS }))
    server.setRequestHandler(CallToolRequestSchema, ({ params }, { _meta, sendNotification }) =>
      desk(params.name, params.arguments as Asked, async (progress, total) => {
        const progressToken = _meta?.progressToken
        if (progressToken === undefined) return
        await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total } })
      }),
    )
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: keepEvents(),
      retryInterval: 50,
      onsessioninitialized: (session) => void sessions.set(session, transport),
      onsessionclosed: (session) => void sessions.delete(session),
    })
    await server.connect(transport)
    return transport
  }
  return async (request, response) => {
    const session = request.headers['mcp-session-id']
    const transport = typeof session === 'string' ? sessions.get(session) : await begin()
    if (transport) await transport.handleRequest(request, response)
    else response.writeHead(404).end()
  }
}

const modern = (): RequestListener =>
  toNodeHandler(
    createMcpHandler(
      () => {
        const server = new Server(info, { capabilities: { tools: {} } })
        server.setRequestHandler('tools/list', () => ({ tools: TOOLS }))
        server.setRequestHandler('tools/call', ({ params }, { mcpReq }) =>
          desk(params.name, params.arguments as Asked, async (progress, total) => {
            const progressToken = mcpReq._meta?.progressToken
            if (progressToken === undefined) return
            await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } })
          }),
        )
        return server
      },
      { legacy: 'reject' },
    ),
  )

createServer(era === 'modern' ? modern() : legacy()).listen(Number(port), '127.0.0.1')
