import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bodies, createWorld, openGate, readReceipts, startEverything, textOf } from './world.ts'

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: everything, namespace: payments}
spec:
  tools:
  - {name: all, match: {servers: [everything], tools: ["*"]}, effect: Allow}
  resources:
  - {name: documents, match: {servers: [everything], uris: ["demo://resource/static/*"]}, effect: Allow}
  prompts:
  - {name: simple, match: {servers: [everything], prompts: [simple-prompt]}, effect: Allow}
  requests:
  - {name: asks, match: {servers: [everything], methods: [elicitation/create, sampling/createMessage, roots/list]}, effect: Allow}
`

describe('a client of 2026-07-28 at the unmodified reference server, which has sessions', () => {
  const world = createWorld()
  let client: Client
  const asked: string[] = []

  beforeAll(async () => {
    const gate = await openGate(world, { policy: POLICY, servers: { everything: await startEverything(world) } })
    client = new Client(
      { name: 'modern', version: '1' },
      {
        capabilities: { elicitation: {}, sampling: {}, roots: {} },
        versionNegotiation: { mode: { pin: '2026-07-28' } },
      },
    )
    client.setRequestHandler('elicitation/create', () => {
      asked.push('elicitation')
      return { action: 'accept', content: { name: 'Ana', check: true } }
    })
    client.setRequestHandler('sampling/createMessage', ({ params }) => {
      asked.push('sampling')
      return { role: 'assistant', model: 'none', content: { type: 'text', text: `${params.maxTokens} tokens` } }
    })
    client.setRequestHandler('roots/list', () => {
      asked.push('roots')
      return { roots: [{ uri: 'file:///home', name: 'home' }] }
    })
    await client.connect(new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp/everything`)))
    world.onClose(() => client.close())
  })
  afterAll(() => world.close())
  const call = (name: string, args: Record<string, unknown> = {}) => client.callTool({ name, arguments: args })

  it('sees what a client with its capabilities sees', async () => {
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['echo', 'trigger-elicitation-request', 'trigger-sampling-request']))
  })

  it('calls, reads and gets', async () => {
    expect(textOf(await call('echo', { message: 'hello' }))).toBe('Echo: hello')
    expect((await call('get-structured-content', { location: 'New York' })).structuredContent).toMatchObject({
      conditions: expect.any(String),
    })
    const { contents } = await client.readResource({ uri: 'demo://resource/static/document/features.md' })
    expect(contents).toHaveLength(1)
    expect((await client.getPrompt({ name: 'simple-prompt' })).messages).toHaveLength(1)
    await expect(client.getPrompt({ name: 'args-prompt', arguments: { city: 'Oslo' } })).rejects.toThrow()
  })

  it('answers what it is asked, and makes the calls again', async () => {
    expect(textOf(await call('trigger-elicitation-request'))).toContain('Ana')
    expect(textOf(await call('trigger-sampling-request', { prompt: 'hi', maxTokens: 7 }))).toContain('7 tokens')
    expect(asked.filter((what) => what !== 'roots')).toEqual(['elicitation', 'sampling'])
    const results = bodies(readReceipts(world.path('data')), 'result').map(({ outcome }) => outcome)
    expect(results.filter((outcome) => outcome === 'input').length).toBeGreaterThanOrEqual(2)
    expect(results.filter((outcome) => outcome !== 'input' && outcome !== 'ok')).toEqual([])
  })

  it('hears of the progress of a long call', async () => {
    const told: number[] = []
    // The client tells of rounds of its own too, when the server asks for roots meanwhile; those have no total.
    const onprogress = ({ progress, total }: { progress: number; total?: number }) => {
      if (total !== undefined) told.push(progress)
    }
    const params = { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 3 } }
    expect(textOf(await client.callTool(params, { onprogress }))).toContain('Duration: 1 seconds')
    expect(told).toEqual([1, 2, 3])
  })
})
