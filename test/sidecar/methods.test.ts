import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  PromptListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyReceipts } from '../../lib/core/chain.ts'
import type { Standalone } from '../../sidecar/standalone.ts'
import { IBAN, type Shelf, startLegacyShelf, startModernShelf } from './shelves.ts'
import { bodies, createWorld, ERAS, openGate, readReceipts, textOf, type World } from './world.ts'

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: shelf, namespace: library}
spec:
  tools:
  - {name: tools, match: {servers: [shelf]}, effect: Allow}
  resources:
  - {name: open, match: {servers: [shelf], uris: ["file:///open/*"]}, effect: Allow}
  - {name: private, match: {servers: [shelf], uris: ["*/private"]}, effect: Deny}
  prompts:
  - {name: short, match: {servers: [shelf], prompts: [summary]}, effect: Allow, where: [{arg: length, in: [short]}]}
  requests:
  - {name: roots, match: {servers: [shelf], methods: [roots/list]}, effect: Allow, answer: [{arg: "roots[*].uri", prefix: "file:///work/"}]}
  - {name: sampling, match: {servers: [shelf], methods: [sampling/createMessage]}, effect: Allow, where: [{arg: "tools[*].name", in: [look_up], optional: true}]}
  - {name: volumes, match: {servers: [shelf], methods: [elicitation/create]}, effect: Allow, where: [{arg: mode, in: [form]}], answer: [{arg: content.volume, in: ["one", "two"]}]}
  - {name: sign-in, match: {servers: [shelf], methods: [elicitation/create]}, effect: Allow, where: [{arg: mode, in: [url]}, {arg: url, prefix: "https://library.example/", optional: true}]}
`

/** What the agent answers, changed by the cases. */
const answers = {
  volume: 'one',
  root: 'file:///work/a',
}
const answer = (method: string): object => {
  if (method === 'roots/list') return { roots: [{ uri: answers.root, name: 'a' }] }
  if (method === 'sampling/createMessage')
    return { role: 'assistant', content: { type: 'text', text: 'in short' }, model: 'm', stopReason: 'endTurn' }
  return { action: 'accept' }
}
const elicited = (mode: unknown) =>
  mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { volume: answers.volume } }
const CAPABILITIES = {
  sampling: { tools: {} },
  elicitation: { form: {}, url: {} },
  roots: {},
}

interface Agent {
  client: Pick<
    LegacyClient,
    | 'listResources'
    | 'listResourceTemplates'
    | 'listPrompts'
    | 'readResource'
    | 'getPrompt'
    | 'complete'
    | 'callTool'
    | 'getServerCapabilities'
  >
  asked: string[]
  told: string[]
  follow: (uri: string) => Promise<unknown>
}

const connectLegacy = async (world: World, url: string): Promise<Agent> => {
  const client = new LegacyClient({ name: 'v1', version: '1' }, { capabilities: CAPABILITIES })
  const asked: string[] = []
  const told: string[] = []
  const on = (method: string, params?: { mode?: unknown }) => {
    asked.push(method)
    return (method === 'elicitation/create' ? elicited(params?.mode) : answer(method)) as never
  }
  client.setRequestHandler(ElicitRequestSchema, ({ method, params }) => on(method, params))
  client.setRequestHandler(CreateMessageRequestSchema, ({ method }) => on(method))
  client.setRequestHandler(ListRootsRequestSchema, ({ method }) => on(method))
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void told.push(params.uri))
  client.setNotificationHandler(PromptListChangedNotificationSchema, ({ method }) => void told.push(method))
  await client.connect(new LegacyTransport(new URL(url)) as never)
  world.onClose(() => client.close())
  return { client, asked, told, follow: (uri) => client.subscribeResource({ uri }) }
}

const connectModern = async (world: World, url: string): Promise<Agent> => {
  const asked: string[] = []
  const told: string[] = []
  const client = new ModernClient(
    { name: 'v2', version: '2' },
    { capabilities: CAPABILITIES, versionNegotiation: { mode: 'auto' } },
  )
  const on = (method: string, params?: { mode?: unknown }) => {
    asked.push(method)
    return (method === 'elicitation/create' ? elicited(params?.mode) : answer(method)) as never
  }
  client.setRequestHandler('elicitation/create', ({ method, params }) => on(method, params))
  client.setRequestHandler('sampling/createMessage', ({ method }) => on(method))
  client.setRequestHandler('roots/list', ({ method }) => on(method))
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void told.push(params.uri))
  client.setNotificationHandler('notifications/prompts/list_changed', ({ method }) => void told.push(method))
  await client.connect(new ModernTransport(new URL(url)))
  world.onClose(() => client.close())
  return {
    client: client as unknown as Agent['client'],
    asked,
    told,
    follow: (uri) => client.listen({ resourceSubscriptions: [uri], promptsListChanged: true }),
  }
}

const clients = { legacy: connectLegacy, modern: connectModern }
const servers = { legacy: startLegacyShelf, modern: startModernShelf }

describe.each(ERAS)('a %s client at a %s server', (clientEra, serverEra) => {
  const world = createWorld()
  let shelf: Shelf
  let gate: Standalone
  let agent: Agent
  const receipts = () => readReceipts(world.path('data'))
  const intents = (type: string) => bodies(receipts(), 'intent').filter(({ call }) => call.type === type)

  beforeAll(async () => {
    Object.assign(answers, { volume: 'one', root: 'file:///work/a' })
    shelf = await servers[serverEra](world)
    gate = await openGate(world, { policy: POLICY, servers: { shelf: shelf.url } })
    agent = await clients[clientEra](world, `${gate.url}/mcp/shelf`)
  })
  afterAll(() => world.close())

  /** What a call came to, be it a result or an error. */
  const call = (name: string): Promise<string> =>
    agent.client.callTool({ name, arguments: {} }).then(
      (result) => textOf(result as { content?: unknown }),
      (error: Error) => error.message,
    )

  it('is told what it could make use of', () => {
    expect(agent.client.getServerCapabilities()).toMatchObject({
      tools: {},
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      completions: {},
    })
  })

  it('sees page by page what it may have, an empty page too', async () => {
    const pages: string[][] = []
    let cursor: string | undefined
    do {
      const page = await agent.client.listResources(cursor === undefined ? undefined : { cursor })
      pages.push(page.resources.map(({ uri }) => uri))
      cursor = page.nextCursor
      if (pages.length > 3) break
    } while (cursor !== undefined)
    // The second version of the client puts pages together by itself when no cursor is given.
    expect(pages.flat()).toEqual(['file:///open/a.json', 'file:///open/note.md'])
    expect(
      (await agent.client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    ).toEqual(['file:///open/{name}'])
    expect((await agent.client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['summary'])
  })

  it('reads what it may, of a directory too, and nothing else', async () => {
    const read = async (uri: string) => (await agent.client.readResource({ uri })).contents
    expect(await read('file:///open/a.json')).toMatchObject([{ text: expect.stringContaining(IBAN) }])
    expect(intents('resource').at(-1)).toMatchObject({
      call: { method: 'resources/read', name: 'file:///open/a.json' },
      decision: { effect: 'Allow', rule: 'open' },
    })
    expect((await read('file:///open/dir')).map(({ uri, ...rest }) => [uri, 'text' in rest ? rest.text : ''])).toEqual([
      ['file:///open/dir/x', 'contents of file:///open/dir/x'],
      ['file:///open/dir', 'The gate withholds contents of another resource.'],
    ])
    const before = shelf.asked().length
    for (const uri of ['file:///closed/b', 'file:///open/private', 'file:///open/../closed/b'])
      await expect(read(uri)).rejects.toMatchObject({ code: -32602 })
    expect(shelf.asked()).toHaveLength(before)
  })

  it('gets and completes a prompt within its bounds', async () => {
    const { messages } = await agent.client.getPrompt({ name: 'summary', arguments: { length: 'short' } })
    expect(messages).toMatchObject([{ content: { text: 'A short summary' } }])
    const complete = (name: string) =>
      agent.client.complete({ ref: { type: 'ref/prompt', name }, argument: { name: 'length', value: 's' } })
    expect((await complete('summary')).completion.values).toEqual(['short'])
    const before = shelf.asked().length
    await expect(agent.client.getPrompt({ name: 'summary', arguments: { length: 'long' } })).rejects.toMatchObject({
      code: -32602,
    })
    await expect(agent.client.getPrompt({ name: 'secret' })).rejects.toMatchObject({ code: -32602 })
    await expect(complete('secret')).rejects.toMatchObject({ code: -32602 })
    expect(shelf.asked()).toHaveLength(before)
    expect(intents('completion').map(({ decision }) => decision.effect)).toEqual(['Allow', 'Deny'])
  })

  it('samples for a call when a rule lets the server ask, with the tools that it names', async () => {
    expect(await call('sample')).toContain('in short')
    expect(intents('request').at(-1)).toMatchObject({
      call: { arguments: { maxTokens: 20 } },
      decision: { rule: 'sampling' },
    })
    expect(await call('sample_with_look_up')).toContain('in short')
    expect(agent.asked).toEqual(['sampling/createMessage', 'sampling/createMessage'])
    expect(await call('sample_with_delete')).not.toContain('in short')
    expect(agent.asked).toHaveLength(2)
    expect(intents('request').map(({ decision }) => decision.effect)).toEqual(['Allow', 'Allow', 'Deny'])
  })

  it('tells its roots, if they are such as may be told', async () => {
    expect(await call('roots')).toContain('file:///work/a')
    answers.root = 'file:///home/ana/.ssh'
    expect(await call('roots')).not.toContain('.ssh')
    expect(JSON.stringify(receipts())).not.toContain('.ssh')
  })

  it('is shown a URL of the host that the rule names', async () => {
    agent.asked.length = 0
    expect(await call('sign_in')).toContain('accept')
    expect(agent.asked).toEqual(['elicitation/create'])
    expect(intents('request').at(-1)).toMatchObject({
      call: { arguments: { mode: 'url', url: 'https://library.example/sign-in' } },
      decision: { rule: 'sign-in' },
    })
  })

  it('is asked for what a resource needs before it is read, and its answer is decided', async () => {
    const uri = 'file:///open/volumes'
    expect((await agent.client.readResource({ uri })).contents).toMatchObject([{ text: 'volume one' }])
    answers.volume = 'seventeen'
    await agent.client.readResource({ uri }).then(
      ({ contents }) => expect(JSON.stringify(contents)).not.toContain('seventeen'),
      (error: Error) => expect(error.message).not.toContain('seventeen'),
    )
    expect(JSON.stringify(receipts())).not.toContain('seventeen')
  })

  it('hears of resources it follows, and of no others', async () => {
    await agent.follow('file:///open/note.md')
    await expect
      .poll(
        () => {
          for (const uri of ['file:///closed/b', 'file:///open/a.json', 'file:///open/note.md']) shelf.changed(uri)
          return agent.told
        },
        { timeout: 10_000, interval: 200 },
      )
      .toEqual(expect.arrayContaining(['file:///open/note.md', 'notifications/prompts/list_changed']))
    expect(agent.told).not.toContain('file:///closed/b')
    if (clientEra === 'modern') expect(agent.told).not.toContain('file:///open/a.json')
    if (clientEra === 'legacy') await expect(agent.follow('file:///closed/b')).rejects.toMatchObject({ code: -32602 })
  })

  it('leaves one unbroken chain in which every allowed intent has its result', async () => {
    await expect
      .poll(() => {
        const allowed = bodies(receipts(), 'intent').filter(({ decision }) => decision.effect === 'Allow')
        return bodies(receipts(), 'result').length - allowed.length
      })
      .toBe(0)
    expect(verifyReceipts(receipts())).toEqual({ ok: true })
  })
})
