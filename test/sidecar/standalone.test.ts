import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect as netConnect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { verifyReceipts } from '../../lib/core/chain.ts'
import { startStandalone } from '../../sidecar/standalone.ts'
import { freePorts } from '../harness/ports.ts'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, startRawServer } from './raw-server.ts'
import { bodies, connect, createWorld, openGate, POLICY, readReceipts, silent, type World } from './world.ts'

describe('remit gate, standalone', () => {
  let world: World
  afterEach(() => world.close())
  const okServer = async () => {
    const server = await startRawServer((call, response) =>
      answerWith(response, call.id, { content: [{ type: 'text', text: 'done' }] }),
    )
    world.onClose(server.close)
    return server
  }

  it('follows its policy file while running; a broken edit keeps the old one and says so', async () => {
    world = createWorld()
    const server = await okServer()
    const said: string[] = []
    const gate = await openGate(world, { servers: { raw: server.url }, say: (line) => said.push(line) })
    const client = await connect(world, `${gate.url}/mcp/raw`)
    const denied = async () => (await client.callTool({ name: 'anything', arguments: {} })).isError === true
    expect(await denied()).toBe(false)
    writeFileSync(world.path('policy.yaml'), POLICY.replace('effect: Allow', 'effect: Perhaps'))
    await expect
      .poll(() => said.at(-1))
      .toMatch(/cannot be used, so the one before stays in force.*spec\.tools\[0\]\.effect.*Perhaps/s)
    expect(await denied()).toBe(false)
    writeFileSync(world.path('policy.yaml'), POLICY.replace('[everything, raw]', '[everything]'))
    await expect.poll(denied, { timeout: 2_000 }).toBe(true)
    expect(said.at(-1)).toMatch(/^the changed policy is in force/)
  })

  it('does not wait for a connection that never carried a request', async () => {
    world = createWorld()
    const gate = await openGate(world, {})
    const socket = netConnect(gate.port, '127.0.0.1')
    await once(socket, 'connect')
    const began = performance.now()
    await gate.close()
    expect(performance.now() - began).toBeLessThan(2_000)
    socket.destroy()
  })

  it('continues its directory on the next start, and shares it with no other gate', async () => {
    world = createWorld()
    const server = await okServer()
    const first = await openGate(world, { servers: { raw: server.url } })
    const session = await openSession(`${first.url}/mcp/raw`)
    await first.close()
    const second = await openGate(world, { servers: { raw: server.url } })
    // A session outlives the gate.
    const response = await post(`${second.url}/mcp/raw`, message(1, 'tools/call', { name: 'anything' }), session)
    expect(await response.text()).toContain('done')
    const receipts = readReceipts(world.path('data'))
    const begun = bodies(receipts, 'incarnation')
    expect(begun).toHaveLength(2)
    expect(begun[1]?.previous?.incarnation).toBe(receipts[0]!.envelope.incarnation)
    expect(
      verifyReceipts(
        receipts.slice(
          receipts.findIndex(({ envelope }) => envelope.incarnation !== receipts[0]!.envelope.incarnation),
        ),
      ),
    ).toEqual({ ok: true })
  })

  it.each([
    ['no file', { policyFiles: ['/nowhere/policy.yaml'] }, /nowhere\/policy\.yaml.*cannot be read/],
    ['a server that is not a URL', { servers: { raw: 'localhost' } }, /localhost.*not an http or https URL/],
    ['a credential for nothing', { credentialFiles: { other: '/x' } }, /no server or model of that name/],
  ])('says what is wrong: %s', async (_name, settings, told) => {
    world = createWorld()
    await expect(openGate(world, settings)).rejects.toThrow(told)
  })

  it('says which field of which file is wrong', async () => {
    world = createWorld()
    await expect(openGate(world, { policy: POLICY.replace('where:', 'wher:') })).rejects.toThrow(
      /policy\.yaml.*spec\.tools\[1\]\.wher/,
    )
    await expect(openGate(world, { policy: 'a: [' })).rejects.toThrow(/policy\.yaml: YAML/)
    await expect(
      openGate(world, { policy: POLICY.replace('min: "0.01", max: "50.00"', 'min: "60", max: "50.00"') }),
    ).rejects.toThrow(/min/)
  })

  it('refuses a port and a directory that are in use', async () => {
    world = createWorld()
    const [port = 0] = await freePorts(1)
    await openGate(world, { port })
    await expect(
      startStandalone({
        policyFiles: [world.path('policy.yaml')],
        servers: {},
        models: {},
        credentialFiles: {},
        owner: 'ana',
        port,
        dataDir: world.path('other'),
        now: Date.now,
        log: silent,
        say: () => {},
      }),
    ).rejects.toThrow(`port ${port} is in use`)
  })
})
