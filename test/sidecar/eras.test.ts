import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { type Desk, startLegacyDesk, startModernDesk } from './desks.ts'
import { bodies, createWorld, ERAS, openGate, readReceipts, textOf, type World } from './world.ts'

/** Of a machine that is busy with other things. */
const PATIENT = { timeout: 5_000 }

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: desk, namespace: payments}
spec:
  tools:
  - {name: desk, match: {servers: [desk], tools: [echo, slow, wait, die, ask]}, effect: Allow}
  requests:
  - {name: questions, match: {servers: [desk], methods: [elicitation/create]}, effect: Allow}
`

/** What the cases need of a client, whichever SDK it is of. */
interface Agent {
  version: () => string | undefined
  instructions: () => string | undefined
  tools: () => Promise<string[]>
  call: (
    name: string,
    args?: Record<string, unknown>,
    options?: { signal?: AbortSignal; onprogress?: (told: { progress: number }) => void },
  ) => Promise<Record<string, unknown>>
  changes: () => number
  asked: () => number
}

const ANSWER = { action: 'accept' as const, content: { street: 'Main Street' } }

const connectLegacy = async (world: World, url: string): Promise<Agent> => {
  const client = new LegacyClient({ name: 'v1', version: '1' }, { capabilities: { elicitation: {} } })
  let changes = 0
  let asked = 0
  client.setRequestHandler(ElicitRequestSchema, () => {
    asked++
    return ANSWER
  })
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void changes++)
  const transport = new LegacyTransport(new URL(url))
  await client.connect(transport)
  world.onClose(() => client.close())
  return {
    version: () => transport.protocolVersion,
    instructions: () => client.getInstructions(),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args = {}, options = {}) => ({
      ...(await client.callTool({ name, arguments: args }, undefined, options)),
    }),
    changes: () => changes,
    asked: () => asked,
  }
}

const connectModern = async (world: World, url: string): Promise<Agent> => {
  let changes = 0
  let asked = 0
  const client = new ModernClient(
    { name: 'v2', version: '2' },
    {
      capabilities: { elicitation: {} },
      versionNegotiation: { mode: 'auto' },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => void changes++ } },
    },
  )
  client.setRequestHandler('elicitation/create', () => {
    asked++
    return ANSWER
  })
  await client.connect(new ModernTransport(new URL(url)))
  world.onClose(() => client.close())
  return {
    version: () => client.getNegotiatedProtocolVersion(),
    instructions: () => client.getInstructions(),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args = {}, options = {}) => client.callTool({ name, arguments: args }, options),
    changes: () => changes,
    asked: () => asked,
  }
}

const clients = { legacy: connectLegacy, modern: connectModern }
const servers = { legacy: startLegacyDesk, modern: startModernDesk }
const VERSIONS = { legacy: '2025-11-25', modern: '2026-07-28' }

describe.each(ERAS)('a %s client at a %s server', (clientEra, serverEra) => {
  const world = createWorld()
  let desk: Desk
  let gate: Standalone
  let agent: Agent
  const receipts = () => readReceipts(world.path('data'))
  const outcomes = () => bodies(receipts(), 'result').map(({ outcome }) => outcome)
  const intents = () => bodies(receipts(), 'intent')

  beforeAll(async () => {
    desk = await servers[serverEra](world)
    gate = await openGate(world, { policy: POLICY, servers: { desk: desk.url }, limits: { cancelGraceMs: 100 } })
    agent = await clients[clientEra](world, `${gate.url}/mcp/desk`)
  })
  afterAll(() => world.close())

  it('speaks its own revision and is told what the server says of itself', () => {
    expect([agent.version(), agent.instructions()]).toEqual([VERSIONS[clientEra], 'Ask the desk.'])
  })

  it('sees what it may call, in the order of the server', async () => {
    expect(await agent.tools()).toEqual(['echo', 'slow', 'wait', 'die', 'ask'])
  })

  it('calls what is allowed, and that is on record', async () => {
    const answer = await agent.call('echo', { text: 'good \u{1f600}', region: 'Zürich' })
    expect(textOf(answer)).toBe('good \u{1f600}')
    expect(desk.calls.at(-1)).toEqual({ tool: 'echo', arguments: { text: 'good \u{1f600}', region: 'Zürich' } })
    expect(intents().at(-1)).toMatchObject({ call: { type: 'tool', tool: 'echo' }, decision: { effect: 'Allow' } })
    expect(outcomes().at(-1)).toBe('ok')
  })

  it('does not call what is denied', async () => {
    const before = desk.calls.length
    const answer = await agent.call('forbidden')
    expect([answer.isError, textOf(answer)]).toEqual([true, expect.stringMatching(/forbidden/)])
    expect(desk.calls).toHaveLength(before)
    expect(intents().at(-1)?.decision).toMatchObject({ effect: 'Deny', code: 'NoRuleAllows' })
  })

  it('hears of progress', async () => {
    const told: number[] = []
    expect(textOf(await agent.call('slow', {}, { onprogress: ({ progress }) => told.push(progress) }))).toBe('done')
    expect(told).toEqual([1, 2, 3])
  })

  it('gives a call up, at the server too', async () => {
    const before = desk.cancelled()
    const controller = new AbortController()
    const call = agent.call('wait', {}, { signal: controller.signal })
    await expect.poll(() => desk.calls.at(-1)?.tool, PATIENT).toBe('wait')
    controller.abort()
    await expect(call).rejects.toThrow()
    await expect.poll(desk.cancelled, PATIENT).toBe(before + 1)
    await expect.poll(() => outcomes().at(-1), PATIENT).toBe('cancelled')
  })

  it('answers what a server asks during a call', async () => {
    const answer = await agent.call('ask', {})
    expect(textOf(answer)).toBe(
      serverEra === 'legacy' ? 'accept Main Street in a session' : 'accept Main Street state of the desk',
    )
    expect(agent.asked()).toBe(1)
    const asked = intents().filter(({ call }) => call.type === 'request')
    expect(asked).toMatchObject([
      { call: { method: 'elicitation/create' }, decision: { effect: 'Allow', rule: 'questions' } },
    ])
    // A modern client makes the call again with its answer: decided and recorded again.
    const made = intents().filter(({ call }) => call.type === 'tool' && call.tool === 'ask')
    expect(made).toHaveLength(clientEra === 'modern' ? 2 : 1)
    if (clientEra === 'modern') expect(outcomes().filter((outcome) => outcome === 'input')).toHaveLength(1)
  })

  it('hears that the tools changed, from the server and from the gate', async () => {
    const before = agent.changes()
    await expect
      .poll(
        () => {
          desk.changed()
          return agent.changes()
        },
        { timeout: 5_000 },
      )
      .toBeGreaterThan(before)
  })

  it('is told when the server dies in the middle, and that nobody knows what it did', async () => {
    const answer = await agent.call('die')
    expect([answer.isError, textOf(answer)]).toEqual([true, expect.stringMatching(/effect is unknown/)])
    expect(outcomes().at(-1)).toBe('unreachable')
    expect(textOf(await agent.call('echo', { text: 'again' }))).toBe('again')
  })

  it('goes on after the server forgot its sessions', async () => {
    desk.forgetSessions()
    const again = async () => textOf(await agent.call('echo', { text: 'still' }))
    // A client of the older revisions has to begin a session itself.
    if (clientEra === 'legacy' && serverEra === 'legacy') {
      await expect(again()).rejects.toThrow()
      agent = await clients[clientEra](world, `${gate.url}/mcp/desk`)
    }
    expect(await again()).toBe('still')
  })
})
