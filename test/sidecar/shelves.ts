import { toNodeHandler } from '@modelcontextprotocol/node'
import { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js'
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { createMcpHandler, inputRequired, Server as ModernServer } from '@modelcontextprotocol/server'
import { inSessions, type Serve, serveMcp } from './mcp-server.ts'
import type { World } from './world.ts'

export const IBAN = 'DE02120300000000202050'
export const QUESTION = {
  message: 'Which volume?',
  requestedSchema: { type: 'object' as const, properties: { volume: { type: 'string' as const } } },
}
export const SAMPLE = {
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'Sum it up' } }],
  maxTokens: 20,
}
const withTool = (name: string) => ({ ...SAMPLE, tools: [{ name, inputSchema: { type: 'object' as const } }] })
export const SIGN_IN = { message: 'Sign in', url: 'https://library.example/sign-in' }

/** Pages of resources; the second is all of what nobody may see. */
const PAGES: Record<string, { uris: string[]; nextCursor?: string }> = {
  '': { uris: ['file:///open/a.json', 'file:///closed/b'], nextCursor: 'second' },
  second: { uris: ['file:///closed/c', 'file:///closed/d'], nextCursor: 'third' },
  third: { uris: ['file:///open/note.md'] },
}
const resourcesAt = (cursor = '') => {
  const { uris, nextCursor } = PAGES[cursor]!
  const resources = uris.map((uri) => ({ uri, name: uri.split('/').at(-1)! }))
  return { resources, ...(nextCursor === undefined ? {} : { nextCursor }) }
}
const templates = {
  resourceTemplates: ['file:///open/{name}', 'file:///closed/{name}'].map((uriTemplate) => ({
    uriTemplate,
    name: 't',
  })),
}
const prompts = { prompts: [{ name: 'summary', arguments: [{ name: 'length' }] }, { name: 'secret' }] }
const tools = {
  tools: ['sample', 'sample_with_look_up', 'sample_with_delete', 'roots', 'sign_in'].map((name) => ({
    name,
    inputSchema: { type: 'object' as const },
  })),
}
const contentsOf = (uri: string) => {
  if (uri === 'file:///open/a.json')
    return [{ uri, mimeType: 'application/json', text: JSON.stringify({ customer: { iban: IBAN }, n: 1 }) }]
  if (uri === 'file:///open/dir')
    return ['file:///open/dir/x', 'file:///open/dir/private', 'file:///closed/b'].map((each) => ({
      uri: each,
      text: `contents of ${each}`,
    }))
  return [{ uri, text: `contents of ${uri}` }]
}
const promptFor = (length = 'long') => ({
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text: `A ${length} summary` } }],
})
const completionOf = (value: string) => ({
  completion: { values: ['short', 'long'].filter((each) => each.startsWith(value)) },
})
const said = (value: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(value) }] })

/** A server of everything but tools, and of tools that ask back. */
export interface Shelf {
  url: string
  /** Methods of the requests it got, with what they name. */
  asked: () => string[]
  /** Says that a resource changed, and the lists. */
  changed: (uri: string) => void
}

const startShelf = async (
  world: World,
  { serve, changed }: { serve: Serve; changed: Shelf['changed'] },
): Promise<Shelf> => {
  const asked: string[] = []
  const { url } = await serveMcp(world, (request, response, body, text) => {
    const { method, params } = (body ?? {}) as { method?: string; params?: Record<string, unknown> }
    const ref = params?.ref as { name?: string; uri?: string } | undefined
    if (method) asked.push([method, params?.uri ?? params?.name ?? ref?.name ?? ref?.uri].filter(Boolean).join(' '))
    return serve(request, response, body, text)
  })
  return { url, asked: () => asked, changed }
}

/** On the second version of the official SDK, 2026-07-28 alone. */
export const startModernShelf = (world: World): Promise<Shelf> => {
  const handler = createMcpHandler(
    () => {
      const server = new ModernServer(
        { name: 'shelf', version: '2' },
        {
          capabilities: {
            tools: {},
            resources: { subscribe: true, listChanged: true },
            prompts: { listChanged: true },
            completions: {},
          },
        },
      )
      server.setRequestHandler('tools/list', () => tools)
      server.setRequestHandler('resources/list', ({ params }) => resourcesAt(params?.cursor))
      server.setRequestHandler('resources/templates/list', () => templates)
      server.setRequestHandler('prompts/list', () => prompts)
      server.setRequestHandler('prompts/get', ({ params }) => promptFor(params.arguments?.length))
      server.setRequestHandler('completion/complete', ({ params }) => completionOf(params.argument.value))
      server.setRequestHandler('resources/read', ({ params }, { mcpReq }) => {
        if (params.uri !== 'file:///open/volumes') return { contents: contentsOf(params.uri) }
        const answer = mcpReq.inputResponses?.volume as { content?: { volume?: string } } | undefined
        if (answer === undefined)
          return inputRequired({ inputRequests: { volume: inputRequired.elicit(QUESTION) }, requestState: 's' })
        return { contents: [{ uri: params.uri, text: `volume ${answer.content?.volume}` }] }
      })
      server.setRequestHandler('tools/call', ({ params }, { mcpReq }) => {
        const answer = mcpReq.inputResponses?.it
        if (answer !== undefined) return said(answer)
        const ask = {
          sample: () => inputRequired.createMessage(SAMPLE),
          sample_with_look_up: () => inputRequired.createMessage(withTool('look_up')),
          sample_with_delete: () => inputRequired.createMessage(withTool('delete')),
          roots: () => inputRequired.listRoots(),
          sign_in: () => inputRequired.elicitUrl(SIGN_IN),
        }[params.name]!
        return inputRequired({ inputRequests: { it: ask() }, requestState: 's' })
      })
      return server
    },
    { legacy: 'reject' },
  )
  return startShelf(world, {
    serve: toNodeHandler(handler),
    changed: (uri) => {
      handler.notify.resourceUpdated(uri)
      handler.notify.promptsChanged()
    },
  })
}

/** On the first version of the official SDK, with sessions. */
export const startLegacyShelf = (world: World): Promise<Shelf> => {
  const { serve, open } = inSessions(() => {
    const server = new LegacyServer(
      { name: 'shelf', version: '1' },
      {
        capabilities: {
          tools: {},
          resources: { subscribe: true, listChanged: true },
          prompts: { listChanged: true },
          completions: {},
        },
      },
    )
    server.setRequestHandler(ListToolsRequestSchema, () => tools)
    server.setRequestHandler(ListResourcesRequestSchema, ({ params }) => resourcesAt(params?.cursor))
    server.setRequestHandler(ListResourceTemplatesRequestSchema, () => templates)
    server.setRequestHandler(ListPromptsRequestSchema, () => prompts)
    server.setRequestHandler(GetPromptRequestSchema, ({ params }) => promptFor(params.arguments?.length))
    server.setRequestHandler(CompleteRequestSchema, ({ params }) => completionOf(params.argument.value))
    server.setRequestHandler(SubscribeRequestSchema, () => ({}))
    server.setRequestHandler(UnsubscribeRequestSchema, () => ({}))
    server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }) => {
      if (uri !== 'file:///open/volumes') return { contents: contentsOf(uri) }
      const { content } = await server.elicitInput(QUESTION)
      return { contents: [{ uri, text: `volume ${content?.volume}` }] }
    })
    server.setRequestHandler(CallToolRequestSchema, async ({ params: { name } }) => {
      if (name === 'sample') return said(await server.createMessage(SAMPLE))
      if (name === 'sample_with_look_up') return said(await server.createMessage(withTool('look_up')))
      if (name === 'sample_with_delete') return said(await server.createMessage(withTool('delete')))
      if (name === 'roots') return said(await server.listRoots())
      return said(await server.elicitInput({ mode: 'url', elicitationId: 'e-1', ...SIGN_IN }))
    })
    return { server }
  })
  return startShelf(world, {
    serve,
    changed: (uri) => {
      for (const { server } of open()) {
        server.sendResourceUpdated({ uri }).catch(() => {})
        server.sendPromptListChanged().catch(() => {})
      }
    },
  })
}
