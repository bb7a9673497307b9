import { toNodeHandler } from '@modelcontextprotocol/node'
import { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js'
import {
  CallToolRequestSchema,
  ListResourcesRequestSchema,
  ListToolsRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { createMcpHandler, inputRequired, Server as ModernServer } from '@modelcontextprotocol/server'
import { inSessions, type Serve, serveMcp } from './mcp-server.ts'
import type { World } from './world.ts'

const ADDRESS = {
  type: 'object' as const,
  properties: { street: { type: 'string' as const } },
  required: ['street'],
}
const QUESTION = { message: 'Where to?', requestedSchema: ADDRESS }
const object = { type: 'object' } as const
/** The same tools in both eras; `region` is repeated in a header where the era has that. */
const TOOLS = [
  {
    name: 'echo',
    description: 'Says it again',
    inputSchema: {
      type: 'object' as const,
      properties: { text: { type: 'string' }, region: { type: 'string', 'x-mcp-header': 'Region' } },
    },
  },
  ...['slow', 'wait', 'die', 'ask', 'forbidden'].map((name) => ({ name, inputSchema: object })),
]

const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true },
  logging: {},
}
const said = (text: string) => ({ content: [{ type: 'text' as const, text }] })

/** What both servers do, by the means their own era gives them. */
interface Means {
  progress: (progress: number, total: number) => Promise<void>
  signal: AbortSignal
}
export interface Desk {
  url: string
  /** Tools that were called, in order, with their arguments. */
  calls: { tool: string; arguments: unknown }[]
  cancelled: () => number
  /** Requests as they came, for what is on the wire. */
  requests: { method: string; headers: Record<string, string | string[] | undefined>; body: string }[]
  /** Says that its tools changed. */
  changed: () => void
  /** Says that a resource changed, to who subscribed to it. */
  updated: (uri: string) => void
  forgetSessions: () => void
}

type Make = (run: (tool: string, args: unknown, means: Means) => Promise<ReturnType<typeof said>> | undefined) => {
  serve: Serve
  changed: () => void
  updated: (uri: string) => void
  forget: () => void
}

const startDesk = async (world: World, make: Make): Promise<Desk> => {
  const calls: Desk['calls'] = []
  const requests: Desk['requests'] = []
  let cancelled = 0
  const { serve, changed, updated, forget } = make((tool, args, { progress, signal }) => {
    calls.push({ tool, arguments: args })
    switch (tool) {
      case 'echo':
        return Promise.resolve(said(String((args as { text?: string } | undefined)?.text)))
      case 'slow':
        return (async () => {
          for (let step = 1; step <= 3; step++) {
            await progress(step, 3)
            await new Promise((resolve) => setTimeout(resolve, 20))
          }
          return said('done')
        })()
      case 'wait':
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            cancelled++
            resolve(said('given up'))
          }),
        )
      case 'die':
        hangUp()
        return new Promise(() => {})
      default:
        return undefined
    }
  })
  const { url, hangUp } = await serveMcp(world, (request, response, body, text) => {
    requests.push({ method: request.method ?? '', headers: request.headers, body: text })
    return serve(request, response, body, text)
  })
  return {
    url,
    calls,
    cancelled: () => cancelled,
    requests,
    changed,
    updated,
    forgetSessions: forget,
  }
}

/** A server on the official SDK's second version that speaks 2026-07-28 and nothing older. */
export const startModernDesk = (world: World): Promise<Desk> =>
  startDesk(world, (run) => {
    const handler = createMcpHandler(
      () => {
        const server = new ModernServer(
          { name: 'desk', version: '2.0.0' },
          { capabilities: CAPABILITIES, instructions: 'Ask the desk.' },
        )
        server.setRequestHandler('resources/list', () => ({ resources: [], ttlMs: 0, cacheScope: 'private' as const }))
        server.setRequestHandler('tools/list', () => ({ tools: TOOLS, ttlMs: 600_000, cacheScope: 'public' as const }))
        server.setRequestHandler('tools/call', async ({ params }, context) => {
          const { mcpReq } = context
          const ran = run(params.name, params.arguments, {
            signal: mcpReq.signal,
            progress: async (progress, total) => {
              const progressToken = mcpReq._meta?.progressToken
              if (progressToken === undefined) return
              await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } })
            },
          })
          if (ran) return ran
          const answer = mcpReq.inputResponses?.where as { action?: string; content?: { street?: string } } | undefined
          if (answer === undefined)
            return inputRequired({
              inputRequests: { where: inputRequired.elicit(QUESTION) },
              requestState: 'state of the desk',
            })
          return said(`${answer.action} ${answer.content?.street} ${mcpReq.requestState()}`)
        })
        return server
      },
      { legacy: 'reject' },
    )
    return {
      serve: toNodeHandler(handler),
      changed: () => handler.notify.toolsChanged(),
      updated: (uri) => handler.notify.resourceUpdated(uri),
      forget: () => {},
    }
  })

/** A server on the official SDK's first version, with sessions. */
export const startLegacyDesk = (world: World): Promise<Desk> =>
  startDesk(world, (run) => {
    const { serve, open, forget } = inSessions(() => {
      const server = new LegacyServer(
        { name: 'desk', version: '1.0.0' },
        { capabilities: CAPABILITIES, instructions: 'Ask the desk.' },
      )
      const followed = new Set<string>()
      server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [] }))
      server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
        followed.add(params.uri)
        return {}
      })
      server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
        followed.delete(params.uri)
        return {}
      })
      server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS }))
      server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, _meta, sendNotification }) => {
        const ran = run(params.name, params.arguments, {
          signal,
          progress: async (progress, total) => {
            const progressToken = _meta?.progressToken
            if (progressToken === undefined) return
            await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total } })
          },
        })
        if (ran) return ran
        // Not as part of the call: many servers ask on the stream of the session.
        const { action, content } = await server.elicitInput(QUESTION)
        return said(`${action} ${content?.street} in a session`)
      })
      return { server, followed }
    })
    return {
      serve,
      changed: () => {
        for (const { server } of open()) server.sendToolListChanged().catch(() => {})
      },
      updated: (uri) => {
        for (const { server, followed } of open())
          if (followed.has(uri)) server.sendResourceUpdated({ uri }).catch(() => {})
      },
      forget,
    }
  })
