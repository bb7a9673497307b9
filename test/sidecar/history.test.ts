import { writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { freePorts } from '../harness/ports.ts'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, startRawServer } from './raw-server.ts'
import { ticketPolicy } from './tickets.ts'
import {
  bodies,
  connect,
  createWorld,
  openGate,
  readReceipts,
  runScript,
  startBilling,
  TOKEN,
  textOf,
  type World,
  waitForPort,
} from './world.ts'

const LIMITS = ticketPolicy(`
tools:
- name: reads
  match: {tools: ["get_*"]}
  effect: Allow
  limits: [{per: 1h, calls: 3}]
- name: refunds
  match: {tools: [refund]}
  effect: Allow
  limits: [{per: 24h, sum: amount, max: "0.30"}]
`)

describe('what an agent did before', () => {
  let world: World
  afterEach(() => world.close())
  const receipts = () => readReceipts(world.path('data'))

  it('counts on after kill -9 of the gate: calls and sums', { timeout: 60_000 }, async () => {
    world = createWorld()
    const billing = await startBilling(world)
    const [port = 0] = await freePorts(1)
    writeFileSync(world.path('policy.yaml'), LIMITS)
    writeFileSync(world.path('token'), TOKEN)
    const start = async () => {
      const options = {
        policyFiles: [world.path('policy.yaml')],
        servers: { billing: billing.url },
        credentialFiles: { billing: world.path('token') },
        port,
        dataDir: world.path('data'),
      }
      const gate = await runScript(world, 'test/sidecar/gate-process.ts', [JSON.stringify(options)], {}, 'gate')
      await waitForPort(port)
      return gate
    }
    let gate = await start()
    const url = `http://127.0.0.1:${port}/mcp/billing`
    const session = await openSession(url)
    let id = 0
    const call = async (name: string, args: object) =>
      (await post(url, message(++id, 'tools/call', { name, arguments: args }), session)).text()
    const read = () => call('get_invoice', { invoice_id: 'INV-1007' })
    const refund = (amount: number) => call('refund', { invoice_id: 'INV-1007', amount, currency: 'EUR' })
    // 0.1 + 0.2 is 0.3 here.
    for (const answer of [await read(), await read(), await refund(0.1)]) expect(answer).not.toContain('isError')
    gate.signal('SIGKILL')
    await gate.exited
    gate = await start()
    expect(await refund(0.21)).toMatch(/LimitReached.*0\.31|0\.31.*LimitReached/)
    expect(await refund(0.2)).not.toContain('isError')
    expect(await read()).not.toContain('isError')
    gate.signal('SIGKILL')
    await gate.exited
    gate = await start()
    expect(await refund(0.01)).toContain('LimitReached')
    expect(await read()).toContain('LimitReached')
    expect(billing.calls().map(({ tool, arguments: { amount } }) => [tool, amount])).toEqual([
      ['get_invoice', undefined],
      ['get_invoice', undefined],
      ['refund', 0.1],
      ['refund', 0.2],
      ['get_invoice', undefined],
    ])
    await gate.stop()
  })

  it('a call that nobody saw end counts, because it may have taken effect', { timeout: 60_000 }, async () => {
    world = createWorld()
    const server = await startRawServer(() => {})
    world.onClose(server.close)
    const [port = 0] = await freePorts(1)
    const policy = '\ntools: [{name: all, match: {tools: ["*"]}, effect: Allow, limits: [{per: 1h, calls: 1}]}]'
    writeFileSync(world.path('policy.yaml'), ticketPolicy(policy))
    const options = { policyFiles: [world.path('policy.yaml')], servers: { raw: server.url }, port }
    const start = async () => {
      const args = [JSON.stringify({ ...options, dataDir: world.path('data') })]
      const gate = await runScript(world, 'test/sidecar/gate-process.ts', args, {}, 'gate')
      await waitForPort(port)
      return gate
    }
    const gate = await start()
    const url = `http://127.0.0.1:${port}/mcp/raw`
    const session = await openSession(url)
    const call = (id: number) => post(url, message(id, 'tools/call', { name: 'anything' }), session)
    const lost = call(1).then(
      () => 'answered',
      () => 'lost',
    )
    await expect.poll(() => server.messages().filter(({ method }) => method === 'tools/call')).toHaveLength(1)
    gate.signal('SIGKILL')
    await gate.exited
    expect(await lost).toBe('lost')
    await start()
    expect(await (await call(2)).text()).toContain('LimitReached')
    expect(bodies(receipts(), 'orphan')).toHaveLength(1)
  })

  const ok = async () => {
    const pending: (() => void)[] = []
    const server = await startRawServer((call, response) => {
      const { fail, hold } = (call.params?.arguments ?? {}) as { fail?: boolean; hold?: boolean }
      const answer = () => answerWith(response, call.id, { content: [], ...(fail ? { isError: true } : {}) })
      if (hold) pending.push(answer)
      else answer()
    })
    world.onClose(server.close)
    return { ...server, release: () => pending.splice(0).forEach((answer) => void answer()), pending }
  }
  const open = async (spec: string) => {
    const server = await ok()
    const policy = ticketPolicy(spec)
    const gate = await openGate(world, { policy, servers: { raw: server.url } })
    const client = await connect(world, `${gate.url}/mcp/raw`)
    const call = async (name: string, args: Record<string, unknown> = {}) => {
      const result = await client.callTool({ name, arguments: args })
      return result.isError ? String(result._meta?.['dev.remit/code'] ?? 'tool') : 'ok'
    }
    return { server, gate, client, call }
  }

  it('is reserved while a call is under way, and given back when the tool says it failed', async () => {
    world = createWorld()
    const { call, server } = await open(
      '\ntools: [{name: all, match: {tools: ["*"]}, effect: Allow, limits: [{per: 1h, calls: 2}]}]',
    )
    expect(await call('a', { fail: true })).toBe('tool')
    const held = [call('a', { hold: true }), call('a', { hold: true })]
    await expect.poll(() => server.pending.length).toBe(2)
    expect(await call('a')).toBe('LimitReached')
    server.release()
    expect(await Promise.all(held)).toEqual(['ok', 'ok'])
    expect(await call('a')).toBe('LimitReached')
    const made = server.messages().filter(({ method }) => method === 'tools/call')
    expect(made).toHaveLength(3)
  })

  it('is decided and reserved in one moment: of many calls at once no more than allowed are made', async () => {
    world = createWorld()
    const { call, server } = await open(
      '\ntools: [{name: all, match: {tools: ["*"]}, effect: Allow, limits: [{per: 1h, calls: 5}, {concurrent: 3}]}]',
    )
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => call(`tool-${n}`)))
    const allowed = answers.filter((answer) => answer === 'ok').length
    expect(allowed).toBeGreaterThanOrEqual(3)
    expect(allowed).toBeLessThanOrEqual(5)
    expect(server.messages().filter(({ method }) => method === 'tools/call')).toHaveLength(allowed)
  })

  it('is looked at anew by a changed policy: what it asks and nobody asked before is read from the receipts', async () => {
    world = createWorld()
    const said: string[] = []
    const server = await ok()
    const free = '\ntools: [{name: all, match: {tools: ["*"]}, effect: Allow}]'
    const gate = await openGate(world, {
      policy: ticketPolicy(free),
      servers: { raw: server.url },
      say: (line) => said.push(line),
    })
    const client = await connect(world, `${gate.url}/mcp/raw`)
    const code = async (args = {}) => (await client.callTool({ name: 'a', arguments: args }))._meta?.['dev.remit/code']
    expect([await code(), await code()]).toEqual([undefined, undefined])
    const held = code({ hold: true })
    await expect.poll(() => server.pending.length).toBe(1)
    const limited = '\ntools: [{name: all, match: {tools: ["*"]}, effect: Allow, limits: [{per: 1h, calls: 4}]}]'
    writeFileSync(world.path('policy.yaml'), ticketPolicy(limited))
    await expect.poll(() => said.length).toBe(1)
    // Two made, one under way, one more; each counted once.
    expect(await code()).toBe(undefined)
    expect(await code()).toBe('LimitReached')
    server.release()
    expect(await held).toBe(undefined)
    expect(await code()).toBe('LimitReached')
  })

  it('is evidence, and taints', async () => {
    world = createWorld()
    const { call } = await open(`
tools:
- {name: reads, match: {tools: [get, fetch]}, effect: Allow}
- {name: closes, match: {tools: [close]}, effect: Allow, evidence: [{tool: raw/get, within: 10m, same: {id: id}}]}
taint:
- {name: untrusted, after: {tools: [fetch]}, match: {tools: [close]}}`)
    expect(await call('close', { id: 1 })).toBe('EvidenceMissing')
    expect(await call('get', { id: 1, fail: true })).toBe('tool')
    expect(await call('close', { id: 1 })).toBe('EvidenceMissing')
    expect(await call('get', { id: 1 })).toBe('ok')
    expect(await call('close', { id: '1' })).toBe('EvidenceMissing')
    expect(await call('close', { id: 1 })).toBe('ok')
    expect(await call('fetch')).toBe('ok')
    expect(await call('close', { id: 1 })).toBe('WaitingForPerson')
  })

  it('opens a breaker: the agent is frozen, that is recorded at once, and a restart does not lift it', async () => {
    world = createWorld()
    const policy = `
tools: [{name: some, match: {tools: [a]}, effect: Allow}]
breaker: {denials: 3, errors: 2}`
    const { call, gate, server } = await open(policy)
    expect([await call('b'), await call('b'), await call('a'), await call('b')]).toEqual([
      'NoRuleAllows',
      'NoRuleAllows',
      'ok',
      'NoRuleAllows',
    ])
    expect(bodies(receipts(), 'escalation')).toEqual([])
    expect(await call('a', { fail: true })).toBe('tool')
    expect(await call('a', { fail: true })).toBe('tool')
    expect(bodies(receipts(), 'escalation')).toEqual([
      {
        kind: 'escalation',
        code: 'AgentFrozen',
        policy: expect.stringContaining('support'),
        detail: '2 calls in a row failed',
      },
    ])
    expect(await call('a')).toBe('AgentFrozen')
    expect(bodies(receipts(), 'intent').at(-1)?.decision.reason).toContain('2 calls in a row failed')
    await gate.close()
    const again = await openGate(world, { policy: ticketPolicy(policy), servers: { raw: server.url } })
    const client = await connect(world, `${again.url}/mcp/raw`)
    const answer = await client.callTool({ name: 'a', arguments: {} })
    expect(textOf(answer)).toMatch(/frozen since/)
    expect(bodies(receipts(), 'escalation')).toHaveLength(1)
    await again.close()
    // The person who starts it lifts it, for the runs after that too.
    for (const unfreeze of [true, false]) {
      const next = await openGate(world, { policy: ticketPolicy(policy), servers: { raw: server.url }, unfreeze })
      const thawed = await connect(world, `${next.url}/mcp/raw`)
      expect((await thawed.callTool({ name: 'a', arguments: {} })).isError).toBeFalsy()
      await next.close()
    }
  })

  it('includes servers that cannot be reached among the errors in a row', async () => {
    world = createWorld()
    const { call, server } = await open(`
tools: [{name: some, match: {tools: [a]}, effect: Allow}]
breaker: {errors: 2}`)
    await server.close()
    expect([await call('a'), await call('a'), await call('a')]).toEqual([
      'UpstreamUnreachable',
      'UpstreamUnreachable',
      'AgentFrozen',
    ])
  })
})
