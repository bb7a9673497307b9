import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { type Bridge, createWorld, FIXTURE, MODERN_FIXTURE, type World } from './bridge.ts'
import { openGate } from './gate.ts'

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: asked, namespace: test}
spec:
  tools:
  - {name: all, match: {servers: ["*"]}, effect: Allow}
  requests:
  - {name: names, match: {servers: [legacy, modern, sessions], methods: [elicitation/create]}, effect: Allow}
`
const BRIDGES: [string, string[], string[]][] = [
  ['legacy', FIXTURE, []],
  ['modern', MODERN_FIXTURE, []],
  ['sessions', FIXTURE, ['--sessions-only']],
  ['unasked', FIXTURE, []],
]

describe('a server that asks or dies in the middle of a call, behind bridge and gate', () => {
  let world: World
  let gate: Standalone
  beforeAll(async () => {
    world = createWorld()
    const servers: Record<string, string> = {}
    const bridges: Bridge[] = []
    for (const [name, command, flags] of BRIDGES) {
      const bridge = await world.bridge(command, flags)
      servers[name] = bridge.url
      bridges.push(bridge)
    }
    await Promise.all(bridges.map((bridge) => bridge.ready()))
    gate = await openGate(world, { policy: POLICY, servers })
  })
  afterAll(() => world.close())

  const agent = async (server: string, mode: 'legacy' | 'auto') => {
    const asked: unknown[] = []
    const client = new Client(
      { name: 'agent', version: '1' },
      { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode } },
    )
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message)
      return { action: 'accept', content: { name: 'Ada' } }
    })
    await client.connect(new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp/${server}`)))
    const call = async (name: string) => JSON.stringify(await client.callTool({ name, arguments: {} }))
    return { asked, call, close: () => client.close() }
  }
  const matrix = (['legacy', 'auto'] as const).flatMap((mode) =>
    ['legacy', 'modern', 'sessions'].map((server) => ({ mode, server })),
  )

  it.each(matrix)('asks an agent ($mode) of the one call ($server)', async ({ mode, server }) => {
    const { asked, call, close } = await agent(server, mode)
    expect(await call('ask')).toContain('Ada')
    expect(asked).toEqual(['Your name?'])
    await close()
  })

  it.each(['legacy', 'auto'] as const)('asks nobody where no rule lets it (%s)', async (mode) => {
    const { asked, call, close } = await agent('unasked', mode)
    expect(await call('ask')).not.toContain('Ada')
    expect(asked).toEqual([])
    await close()
  })

  it.each(matrix)('tells an agent ($mode) that its call may have taken effect ($server)', async ({ mode, server }) => {
    const { call, close } = await agent(server, mode)
    const said = await call('die').catch((error: Error) => error.message)
    expect(said).toMatch(/may have taken effect|unknown|not known/i)
    await close()
  })
})
