import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { World } from './world.ts'

/** Answers one HTTP request; `body` is what its `text` says. */
export type Serve = (request: IncomingMessage, response: ServerResponse, body: unknown, text: string) => Promise<void>

/** Serves MCP on a free port of this machine until the world ends. `hangUp` cuts all connections. */
export const serveMcp = async (world: World, serve: Serve): Promise<{ url: string; hangUp: () => void }> => {
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString('utf8')
      await serve(request, response, text === '' ? undefined : JSON.parse(text), text)
    } catch {
      response.destroy()
    }
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const hangUp = () => http.closeAllConnections()
  world.onClose(
    () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve())
        hangUp()
      }),
  )
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, hangUp }
}

/** Servers on the first version of the official SDK, one of `make` for each session. */
export const inSessions = <T extends { server: LegacyServer }>(make: () => T) => {
  const sessions = new Map<string, T & { transport: StreamableHTTPServerTransport }>()
  const begin = async () => {
    const made = make()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { ...made, transport }),
    })
    await made.server.connect(transport)
    return transport
  }
  const serve: Serve = async (request, response, body) => {
    const id = request.headers['mcp-session-id']
    const known = typeof id === 'string' ? sessions.get(id) : undefined
    if (id !== undefined && !known) return void response.writeHead(404).end()
    await (known?.transport ?? (await begin())).handleRequest(request, response, body)
  }
  return { serve, open: () => [...sessions.values()], forget: () => sessions.clear() }
}
