import { afterEach, describe, expect, it } from 'vitest'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts, type World } from './world.ts'

const policy = (more: string) => `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: raw, namespace: lab}
spec:
  tools:
  - {name: tools, match: {servers: [raw, web]}, effect: Allow}
  resources:
  - {name: open, match: {servers: [web], uris: ["web://open/*"]}, effect: Allow}
${more}`

type Answer = { result?: Record<string, unknown>; error?: Record<string, unknown> }

describe('what was read counts for what comes after', () => {
  let world: World
  afterEach(() => world.close())
  const receipts = () => readReceipts(world.path('data'))

  const startServer = async () => {
    const server = await startRawServer((call, response) => answerWith(response, call.id, { content: [] }), {
      'resources/read': ({ id, params }, response) =>
        answerWith(response, id, { contents: [{ uri: params?.uri, text: 'read' }] }),
    })
    world.onClose(server.close)
    return server
  }
  const startAgent = async (url: string, more: string) => {
    const gate = await openGate(world, { policy: policy(more), servers: { raw: url, web: url } })
    const ask = async (server: string, method: string, params: object): Promise<Answer> => {
      const to = `${gate.url}/mcp/${server}`
      return (await post(to, message(7, method, params), await openSession(to))).json() as Promise<Answer>
    }
    return {
      gate,
      read: (uri: string) => ask('web', 'resources/read', { uri }),
      send: async () => {
        const { result } = await ask('raw', 'tools/call', { name: 'send', arguments: {} })
        return result?.isError ? (result._meta as Record<string, string>)['dev.remit/code'] : 'made'
      },
    }
  }

  it('a resource of an untrusted server taints, also after a restart', async () => {
    world = createWorld()
    const server = await startServer()
    const taint = '  taint:\n  - {name: after-browsing, after: {servers: [web]}, match: {servers: [raw]}}\n'
    const agent = await startAgent(server.url, taint)
    expect(await agent.send()).toBe('made')
    expect((await agent.read('web://closed/a')).error).toMatchObject({ data: { code: 'NoRuleAllows' } })
    expect(await agent.send()).toBe('made')
    expect((await agent.read('web://open/a')).result).toMatchObject({ contents: [{ text: 'read' }] })
    expect(await agent.send()).toBe('WaitingForPerson')
    await agent.gate.close()
    const again = await startAgent(server.url, taint)
    await expect.poll(() => again.send()).toBe('WaitingForPerson')
  })

  it('denied reads open a breaker, and a frozen agent reads nothing', async () => {
    world = createWorld()
    const server = await startServer()
    const agent = await startAgent(server.url, '  breaker: {denials: 3}\n')
    for (let n = 0; n < 3; n++) await agent.read('web://closed/a')
    expect((await agent.read('web://open/a')).error).toMatchObject({ data: { code: 'AgentFrozen' } })
    expect(await agent.send()).toBe('AgentFrozen')
    expect(bodies(receipts(), 'escalation')).toHaveLength(1)
    expect(server.messages().filter(({ method }) => method === 'resources/read')).toEqual([])
  })
})
