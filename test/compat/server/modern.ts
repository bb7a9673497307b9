import type { RequestListener } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { createDesk, TOOLS } from './desk.ts'

/** The desk by 2026-07-28 and nothing older: no sessions, every request by itself. */
export const modernDesk = (journal: string): RequestListener => {
  const call = createDesk(journal)
  const makeServer = () => {
    const server = new Server({ name: 'desk', version: '1.0.0' }, { capabilities: { tools: {} } })
    server.setRequestHandler('tools/list', () => ({ tools: TOOLS }))
    server.setRequestHandler('tools/call', ({ params }, { mcpReq }) =>
      call({
        name: params.name,
        arguments: params.arguments ?? {},
        signal: mcpReq.signal,
        progress: async (progress, total) => {
          const progressToken = mcpReq._meta?.progressToken
          if (progressToken === undefined) return
          await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } })
        },
      }),
    )
    return server
  }
  return toNodeHandler(createMcpHandler(makeServer, { legacy: 'reject' }))
}
