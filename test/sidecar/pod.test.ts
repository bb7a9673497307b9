import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Remit } from '../../lib/api/remit.ts'
import { verifyReceipts } from '../../lib/core/chain.ts'
import { signRemit } from '../../lib/core/jws.ts'
import { startSidecar } from '../../sidecar/pod.ts'
import { createLedger, LEDGER_NAME } from './ledger-double.ts'
import { message, openSession, post } from './raw-agent.ts'
import {
  type Billing,
  bodies,
  connect,
  createWorld,
  readReceipts,
  silent,
  startBilling,
  TOKEN,
  textOf,
} from './world.ts'

const AGENT = '0a3c1b52-7c1f-4a58-9d55-1a2b3c4d5e6f'
const newKey = (kid: string) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    kid,
    privateKey,
    anchor: { kty: 'OKP', crv: 'Ed25519', x: publicKey.export({ format: 'jwk' }).x as string, kid },
  }
}

describe('the sidecar in a pod', () => {
  const world = createWorld()
  let key = newKey('k1')
  const next = newKey('k2')
  let billing: Billing
  let ledger: Awaited<ReturnType<typeof createLedger>>
  let sidecar: Awaited<ReturnType<typeof startSidecar>>
  let token = 'token-1'

  const remit = (generation: number, max: string, more: Partial<Remit> = {}): Remit => ({
    version: 1,
    cluster: 'cluster-1',
    agent: {
      id: AGENT,
      namespace: 'payments',
      name: 'billing-bot',
      createdBy: { username: 'ana@corp.example', at: '2026-11-21T10:00:00Z' },
    },
    generation,
    epoch: 1,
    issuedAt: '2026-11-21T10:00:00Z',
    owner: { group: 'billing-team', spec: { members: [{ name: 'ana' }], onCall: { owner: 'ana' } } },
    rules: [
      {
        policy: 'payments/billing',
        mode: 'Enforce',
        type: 'tool',
        name: 'refunds',
        match: { servers: ['billing'], tools: ['refund'] },
        effect: 'Allow',
        where: [{ arg: 'amount', max }],
      },
    ],
    servers: [{ name: 'billing', url: billing.url, credential: { header: 'authorization', scheme: 'Bearer' } }],
    models: [],
    egress: { cidrs: [] },
    sources: [],
    ...more,
  })
  const start = async () => {
    sidecar = await startSidecar(
      {
        cluster: 'cluster-1',
        namespace: 'payments',
        agent: 'billing-bot',
        agentId: AGENT,
        ledgerURL: ledger.url(),
        ledgerName: LEDGER_NAME,
        ledgerCA: ledger.ca,
        anchors: [key.anchor],
        image: 'sidecar@sha256:0',
        podName: 'agent-billing-bot',
        podUID: 'pod-1',
        node: 'node-1',
        logLevel: 'silent',
        tokenFile: world.path('token'),
        credentials: world.path('credentials'),
        spool: world.path('spool'),
        spoolBytes: 1024 * 1024,
        port: 0,
        healthPort: 0,
      },
      silent,
      Date.now,
    )
  }
  const refund = async (amount: number) => {
    const client = await connect(world, `http://127.0.0.1:${sidecar.port}/mcp/billing`)
    return client.callTool({ name: 'refund', arguments: { invoice_id: 'INV-1009', amount, currency: 'EUR' } })
  }
  const ready = async () => (await fetch(`http://127.0.0.1:${sidecar.healthPort}/readyz`)).status

  beforeAll(async () => {
    billing = await startBilling(world)
    ledger = await createLedger(() => token)
    world.onClose(() => ledger.stop())
    writeFileSync(world.path('token'), token)
    mkdirSync(world.path('credentials'))
    writeFileSync(world.path('credentials/server-billing'), TOKEN)
    await start()
    world.onClose(() => sidecar.close())
  })
  afterAll(() => world.close())

  it('is not ready and passes nothing on before its first remit', async () => {
    expect(await ready()).toBe(503)
    const response = await post(
      `http://127.0.0.1:${sidecar.port}/mcp/billing`,
      message(1, 'tools/call', { name: 'refund' }),
    )
    expect([response.status, ((await response.json()) as { error: { data: object } }).error.data]).toEqual([
      503,
      { code: 'NoRemit' },
    ])
  })

  it('leaves a remit aside that is signed by another key, or for another agent or cluster', async () => {
    ledger.publish(signRemit(remit(1, '50'), { kid: 'k1', privateKey: next.privateKey }))
    ledger.publish(signRemit({ ...remit(1, '50'), cluster: 'cluster-2' }, key))
    ledger.publish(signRemit({ ...remit(1, '50'), agent: { ...remit(1, '50').agent, id: 'another' } }, key))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await ready()).toBe(503)
  })

  it('works under the first remit, with the credential from the mounted file, and drains its receipts', async () => {
    ledger.publish(signRemit(remit(10, '50'), key))
    await expect.poll(ready).toBe(200)
    expect(textOf(await refund(20))).toContain('"refunded":20')
    expect((await refund(100)).isError).toBe(true)
    await expect
      .poll(() => ledger.receipts.map(({ body }) => body.kind))
      .toEqual(['incarnation', 'remit', 'intent', 'result', 'intent'])
    expect(verifyReceipts(ledger.receipts)).toEqual({ ok: true })
    expect(ledger.receipts[0]!.body).toMatchObject({ podUID: 'pod-1', node: 'node-1', agent: { id: AGENT } })
  })

  it('enforces a changed remit on the running agent within a second, and tells it that tools changed', async () => {
    const client = await connect(world, `http://127.0.0.1:${sidecar.port}/mcp/billing`)
    let changed = 0
    client.setNotificationHandler('notifications/tools/list_changed', () => void changed++)
    const args = { name: 'refund', arguments: { invoice_id: 'INV-1009', amount: 90, currency: 'EUR' } }
    expect((await client.callTool(args)).isError).toBe(true)
    const began = Date.now()
    ledger.publish(signRemit(remit(11, '100'), key))
    await expect.poll(async () => (await client.callTool(args)).isError, { interval: 20 }).toBeFalsy()
    expect(Date.now() - began).toBeLessThan(1_000)
    await expect.poll(() => changed).toBe(1)
  })

  it('never goes back to an older remit', async () => {
    ledger.publish(signRemit(remit(10, '5000'), key))
    ledger.publish(signRemit({ ...remit(12, '5000'), epoch: 0 }, key))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await refund(4_000)).isError).toBe(true)
  })

  it('goes on without the ledger, also after a restart, and drains everything once it is back', async () => {
    await ledger.stop()
    expect((await refund(1)).isError).toBeFalsy()
    await sidecar.close()
    await start()
    expect(await ready()).toBe(200)
    expect((await refund(2)).isError).toBeFalsy()
    expect((await refund(4_000)).isError).toBe(true)
    token = 'token-2'
    writeFileSync(world.path('token'), token)
    await ledger.start()
    await expect.poll(() => bodies(ledger.receipts, 'intent').length, { timeout: 20_000 }).toBe(8)
    const [first, second] = [...new Set(ledger.receipts.map(({ envelope }) => envelope.incarnation))]
    for (const one of [first, second])
      expect(verifyReceipts(ledger.receipts.filter(({ envelope }) => envelope.incarnation === one))).toEqual({
        ok: true,
      })
    // What the ledger has goes from the pod; the newest file stays.
    await expect
      .poll(() => new Set(readReceipts(world.path('spool')).map(({ envelope }) => envelope.incarnation)).size)
      .toBe(1)
  })

  it('sends again what the ledger lost', async () => {
    const all = [...ledger.receipts]
    const begun = all.findIndex(({ envelope }) => envelope.incarnation === all.at(-1)!.envelope.incarnation)
    ledger.forget(begun + 2)
    await refund(3)
    await expect.poll(() => ledger.receipts.length, { timeout: 20_000 }).toBe(all.length + 2)
    expect(ledger.receipts.slice(0, all.length)).toEqual(all)
  })

  it('takes a new signing key from a remit signed with the old one, also across a restart', async () => {
    ledger.publish(signRemit(remit(20, '30', { anchors: [key.anchor, next.anchor] }), key))
    await expect.poll(async () => (await refund(50)).isError).toBe(true)
    ledger.publish(signRemit(remit(21, '60', { anchors: [next.anchor] }), next))
    await expect.poll(async () => (await refund(50)).isError).toBeFalsy()
    await sidecar.close()
    await ledger.stop()
    await start()
    expect(await ready()).toBe(200)
    expect((await refund(55)).isError).toBeFalsy()
    await ledger.start()
    ledger.publish(signRemit(remit(22, '5000'), key))
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect((await refund(4_000)).isError).toBe(true)
  })

  it("passes the agent's telemetry on through the ledger", async () => {
    await expect
      .poll(
        async () => {
          const answer = await fetch(`http://127.0.0.1:${sidecar.port}/otlp/v1/traces`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: '{"resourceSpans":[]}',
          })
          return answer.status
        },
        { timeout: 15_000 },
      )
      .toBe(200)
    expect(ledger.otlp).toContainEqual({ path: '/v1/otlp/v1/traces', bytes: 20 })
  })

  const limited = (generation: number, more: Partial<Remit> = {}) =>
    remit(generation, '5000', {
      rules: [
        {
          policy: 'payments/billing',
          mode: 'Enforce',
          type: 'tool',
          name: 'refunds',
          match: { servers: ['billing'], tools: ['refund'] },
          effect: 'Allow',
          limits: [
            { per: '24h', sum: 'amount', max: '1000.00' },
            { per: '24h', calls: 50 },
          ],
        },
        {
          policy: 'payments/billing',
          mode: 'Enforce',
          type: 'tool',
          name: 'reads',
          match: { servers: ['billing'], tools: ['get_*'] },
          effect: 'Allow',
        },
      ],
      ...more,
    })
  const codeOf = async (answer: ReturnType<typeof refund>) => (await answer)._meta?.['dev.remit/code'] ?? 'ok'

  it('holds limits over all pods of the agent: a new one has them from the ledger', { timeout: 60_000 }, async () => {
    ledger.publish(signRemit(limited(30), next))
    // What was refunded before counts, though nobody had asked for the amounts then: they are in the receipts.
    await expect.poll(() => codeOf(refund(999)), { timeout: 10_000 }).toBe('LimitReached')
    await sidecar.close()
    ledger.receipts.splice(0)
    rmSync(world.path('spool'), { recursive: true })
    key = next
    await start()
    expect(await ready()).toBe(503)
    ledger.publish(signRemit(limited(31), next))
    await expect.poll(ready, { timeout: 10_000 }).toBe(200)
    expect(await codeOf(refund(600))).toBe('ok')
    expect(await codeOf(refund(400.01))).toBe('LimitReached')
    await sidecar.close()
    rmSync(world.path('spool'), { recursive: true })
    await start()
    await expect.poll(ready, { timeout: 10_000 }).toBe(200)
    expect(await codeOf(refund(400.01))).toBe('LimitReached')
    expect(await codeOf(refund(399.99))).toBe('ok')
    expect(await codeOf(refund(0.02))).toBe('LimitReached')
    expect(new Set(ledger.receipts.map(({ envelope }) => envelope.incarnation)).size).toBe(2)
    expect(ledger.histories.length).toBeGreaterThanOrEqual(2)
  })

  it('denies what needs the past until the ledger tells of it, and nothing else', { timeout: 60_000 }, async () => {
    await sidecar.close()
    await ledger.stop()
    await start()
    expect(await codeOf(refund(0.01))).toBe('HistoryNotLoaded')
    const client = await connect(world, `http://127.0.0.1:${sidecar.port}/mcp/billing`)
    const read = await client.callTool({ name: 'get_invoice', arguments: { invoice_id: 'INV-1009' } })
    expect(read.isError).toBeFalsy()
    await ledger.start()
    await expect.poll(() => codeOf(refund(0.01)), { timeout: 20_000 }).toBe('ok')
    expect(await codeOf(refund(0.01))).toBe('LimitReached')
  })

  it('freezes for good: another pod is frozen too, its model included, until a person lifts it', {
    timeout: 60_000,
  }, async () => {
    const breakers = [{ policy: 'payments/billing', mode: 'Enforce' as const, denials: 3 }]
    const models = [{ name: 'main', url: 'http://127.0.0.1:9/v1', api: 'OpenAI' as const }]
    ledger.publish(signRemit(limited(32, { breakers, models }), next))
    await expect.poll(() => codeOf(refund(5_000)), { timeout: 10_000 }).toBe('AgentFrozen')
    await expect.poll(() => bodies(ledger.receipts, 'escalation')).toHaveLength(1)
    await sidecar.close()
    rmSync(world.path('spool'), { recursive: true })
    await start()
    await expect.poll(ready, { timeout: 10_000 }).toBe(200)
    const read = async () => {
      const client = await connect(world, `http://127.0.0.1:${sidecar.port}/mcp/billing`)
      return codeOf(client.callTool({ name: 'get_invoice', arguments: { invoice_id: 'INV-1009' } }) as never)
    }
    expect(await read()).toBe('AgentFrozen')
    const model = await fetch(`http://127.0.0.1:${sidecar.port}/llm/main/models`)
    expect([model.status, await model.text()]).toEqual([403, expect.stringContaining('AgentFrozen')])
    const unfrozen = { username: 'ana@corp.example', at: new Date().toISOString() }
    ledger.publish(signRemit(limited(33, { breakers, models, unfrozen }), next))
    await expect.poll(read, { timeout: 10_000 }).toBe('ok')
    expect(bodies(ledger.receipts, 'escalation')).toHaveLength(1)
  })

  it('denies calls when the ledger takes nothing for too long and the spool is full', async () => {
    const unfrozen = { username: 'ana@corp.example', at: new Date().toISOString() }
    ledger.publish(signRemit(remit(40, '5000', { unfrozen }), next))
    await expect.poll(() => codeOf(refund(1)), { timeout: 10_000 }).toBe('ok')
    await ledger.stop()
    const url = `http://127.0.0.1:${sidecar.port}/mcp/billing`
    const session = await openSession(url)
    let answer = ''
    for (let id = 0; id < 400 && !answer.includes('CannotRecord'); id++)
      answer = await (
        await post(
          url,
          message(id, 'tools/call', { name: 'refund', arguments: { amount: 9_999, pad: 'x'.repeat(6_000) } }),
          session,
        )
      ).text()
    expect(answer).toContain('CannotRecord')
    await ledger.start()
    await expect.poll(async () => (await refund(1)).isError, { timeout: 20_000 }).toBeFalsy()
  })
})
