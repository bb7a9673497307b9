import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Receipt } from '../../lib/api/receipt.ts'
import { eventually } from '../harness/eventually.ts'
import { createAuthority } from '../harness/pki.ts'
import { ledgerClient } from './client.ts'
import { kubectlAs } from './kubectl.ts'
import { type Agent, startWorld, type World } from './world.ts'

const BASE = '/apis/evidence.remit.dev/v1alpha1'
let world: World
let payments: Agent
let search: Agent
let refund: Receipt
let ana: Awaited<ReturnType<typeof kubectlAs>>
let bo: Awaited<ReturnType<typeof kubectlAs>>

const nameOf = ({ envelope }: Receipt) => `${envelope.incarnation}-${envelope.seq}`
const send = async (agent: Agent, receipts: Receipt[]) => {
  expect((await world.client.post(agent.token, receipts)).status).toBe(200)
}
const serve = async (agent: Agent) => {
  await world.putRemit(agent, 1)
  const chain = agent.start()
  await eventually(async () => (await world.client.post(agent.token, [chain.first])).status === 200, {
    what: 'remit known',
  })
  return chain
}

beforeAll(async () => {
  world = await startWorld()
  await world.ledger.start()
  payments = await world.agent('payments', 'billing-bot')
  search = await world.agent('search', 'search-bot')
  const chain = await serve(payments)
  refund = chain.intent('refund')
  await send(payments, [
    refund,
    chain.result(refund),
    chain.intent('delete_invoice', 'Deny'),
    chain.intent('refund', 'Ask'),
    chain.next({ kind: 'heartbeat' }),
  ])
  const other = await serve(search)
  const intent = other.intent('find')
  await send(search, [intent, other.result(intent, 'error'), other.intent('find')])

  await world.grant('payments', 'ana', ['get', 'list', 'watch'])
  await world.grant('search', 'bo', ['get', 'list', 'watch'])
  ana = await kubectlAs(world.apiserver, { name: 'ana' })
  bo = await kubectlAs(world.apiserver, { name: 'bo' })
  await eventually(async () => (await ana('get', 'receipts', '-n', 'payments')).code === 0, {
    timeoutMs: 30_000,
    what: 'APIService available',
  })
}, 120_000)
afterAll(() => world?.stop())

describe('kubectl', () => {
  test('get receipts fits a terminal and reads like a story', async () => {
    const { out, err } = await ana('get', 'receipts', '-n', 'payments')
    expect(err).toBe('')
    const [head, ...rows] = out.trimEnd().split('\n')
    expect(head?.split(/\s{2,}/)).toEqual(['NAME', 'AGENT', 'ACTION', 'OUTCOME', 'RULE', 'AGE'])
    expect(rows.map((row) => row.split(/\s{2,}/).slice(1, 5))).toEqual([
      ['billing-bot', 'started', expect.stringMatching(/^\d+s$/)],
      ['billing-bot', 'refund', 'ok', 'read-anything'],
      ['billing-bot', 'delete_invoice', 'denied', 'read-anything'],
      ['billing-bot', 'refund', 'waiting', 'read-anything'],
    ])
    for (const line of [head, ...rows]) expect(line?.length).toBeLessThanOrEqual(80)
  })

  test('-o yaml is what the sidecar signed', async () => {
    const { out } = await ana('get', 'receipt', nameOf(refund), '-n', 'payments', '-o', 'json')
    const object = JSON.parse(out)
    expect(object.envelope).toEqual(refund.envelope)
    expect(object.body).toEqual(refund.body)
    expect(object.metadata.labels).toEqual({ 'remit.dev/agent': 'billing-bot', 'remit.dev/agent-id': payments.id })
  })

  test('selectors, wide columns and names', async () => {
    const rows = async (...args: string[]) =>
      (await ana('get', 'receipts', '-n', 'payments', '--no-headers', ...args)).out.trimEnd().split('\n')
    expect(await rows('-l', 'remit.dev/agent=billing-bot')).toHaveLength(4)
    expect(await rows('-l', 'remit.dev/agent notin (billing-bot)')).toEqual([''])
    expect(await rows('--field-selector', 'body.decision.effect=Deny', '-o', 'name')).toHaveLength(1)
    expect(await rows('--field-selector', 'body.kind=result')).toHaveLength(1)
    expect((await rows('-o', 'wide')).join()).toContain('The rule read-anything allows it.')
    const bad = await ana('get', 'receipts', '-n', 'payments', '--field-selector', 'color=red')
    expect(bad).toMatchObject({ code: 1, err: expect.stringContaining('field label not supported: color') })
  })

  test('pages are followed', async () => {
    const { out } = await ana('get', 'receipts', '-n', 'payments', '--chunk-size=1', '-o', 'name')
    expect(out.trimEnd().split('\n')).toHaveLength(6)
  })

  test('a user of one namespace cannot read another’s, nor all', async () => {
    expect((await bo('get', 'receipts', '-n', 'search')).out).toContain('search-bot')
    for (const args of [['-n', 'payments'], ['-A'], ['-n', 'payments', nameOf(refund)], ['-n', 'payments', '-w']]) {
      const { code, out, err } = await bo('get', 'receipts', ...args)
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err).toContain('Forbidden')
    }
    // A name of another namespace under one's own.
    expect((await bo('get', 'receipt', nameOf(refund), '-n', 'search')).err).toContain('NotFound')
    expect((await ana('get', 'receipts', '-n', 'search')).code).toBe(1)
  })

  test('-w shows new calls and what comes of them', async () => {
    const watch = ['get', 'receipts', '-n', 'payments', '-w', '--request-timeout=4s']
    const watching = ana(...watch, '--no-headers')
    const objects = ana(...watch, '-o', 'jsonpath={.envelope.incarnation}-{.envelope.seq}{"\\n"}')
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    const chain = payments.start()
    const intent = chain.intent('get_invoice')
    await send(payments, [chain.first, intent])
    await new Promise((resolve) => setTimeout(resolve, 300))
    await send(payments, [chain.result(intent)])
    const lines = (await watching).out.split('\n').filter((line) => line.startsWith(nameOf(intent)))
    expect(lines.map((line) => line.split(/\s{2,}/)[3])).toEqual(['pending', 'ok'])
    const seen = (await objects).out.split('\n').filter((line) => line.startsWith(chain.incarnation))
    expect(seen).toEqual([0, 1, 2].map((seq) => `${chain.incarnation}-${seq}`))
  })

  test('explain, api-resources and can-i know it without a warning', async () => {
    const explained = await ana('explain', 'receipts.envelope.prev')
    expect(explained).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('SHA-256 of the envelope before'),
    })
    const resources = await ana('api-resources', '--api-group=evidence.remit.dev', '-o', 'wide')
    expect(resources).toMatchObject({
      err: '',
      out: expect.stringMatching(/receipts\s+evidence\.remit\.dev\/v1alpha1\s+true\s+Receipt\s+get,list,watch/),
    })
    expect((await bo('auth', 'can-i', 'list', 'receipts', '-n', 'payments')).out.trim()).toBe('no')
  })

  test('goes on over a new certificate, and so does an open stream', async () => {
    const stream = await world.client.follow(payments.token)
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(
          { host: '127.0.0.1', port: world.port, ca: world.caOfLedger, servername: 'remit-ledger.remit-system.svc' },
          () => {
            resolve(socket.getPeerCertificate().serialNumber)
            socket.destroy()
          },
        )
        socket.on('error', reject)
      })
    const before = await serial()
    await world.rotate()
    await eventually(async () => (await serial()) !== before, { what: 'the new certificate' })
    expect((await ana('get', 'receipts', '-n', 'payments')).code).toBe(0)
    await world.putRemit(payments, 2)
    await eventually(() => stream.events.some((e) => e.data?.includes('"generation":2')), {
      what: 'a remit over the old connection',
    })
    stream.close()
  })

  test('nothing can be written', async () => {
    const admin = await kubectlAs(world.apiserver, { name: 'root', groups: ['system:masters'] })
    const { code, err } = await admin('delete', 'receipt', nameOf(refund), '-n', 'payments')
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/MethodNotAllowed|not allow this method/) })
  })
})

describe('queries', () => {
  const asAdmin = (path: string) =>
    world.apiserver.client.request<{ items: Receipt[]; metadata: { continue?: string; resourceVersion: string } }>(
      'GET',
      path,
    )

  test('since, until and order', async () => {
    const all = await asAdmin(`${BASE}/receipts`)
    const newest = await asAdmin(`${BASE}/receipts?order=desc&limit=2`)
    expect(newest.items).toEqual([...all.items].reverse().slice(0, 2))
    const rest = await asAdmin(`${BASE}/receipts?order=desc&continue=${newest.metadata.continue}`)
    expect([...newest.items, ...rest.items]).toEqual([...all.items].reverse())
    const at = refund.envelope.time
    const later = await asAdmin(`${BASE}/receipts?since=${at}`)
    const before = await asAdmin(`${BASE}/receipts?until=${at}`)
    expect(later.items.length + before.items.length).toBe(all.items.length)
    expect(before.items.every((r) => r.envelope.time < at)).toBe(true)
  })

  test.each([
    ['limit=-1', 'limit'],
    ['since=yesterday', 'since'],
    ['order=up', 'order'],
    ['continue=abc', 'continue'],
    ['labelSelector=%3D%3D', 'requirement'],
    ['resourceVersion=x', 'resourceVersion'],
  ])('%s is refused by name', async (query, named) => {
    await expect(asAdmin(`${BASE}/receipts?${query}`)).rejects.toMatchObject({
      code: 400,
      message: expect.stringContaining(named),
    })
  })
})

describe('the front proxy', () => {
  test('is not believed without its certificate', async () => {
    const headers = { 'x-remote-user': 'root', 'x-remote-group': 'system:masters' }
    const answer = await world.client.send('GET', `${BASE}/receipts`, { headers })
    expect({ status: answer.status, reason: answer.json.reason }).toEqual({ status: 401, reason: 'Unauthorized' })
    const token = world.apiserver.adminToken
    expect((await world.client.send('GET', `${BASE}/receipts`, { headers, token })).status).toBe(401)
  })

  test('is believed with it, and what it says the person may is still asked', async () => {
    const file = (name: string) => readFileSync(join(world.apiserver.dir, name), 'utf8')
    const pair = { cert: file('front-proxy.crt'), key: file('front-proxy.key') }
    const client = ledgerClient({
      port: world.port,
      ca: world.caOfLedger,
      servername: 'remit-ledger.remit-system.svc',
      ...pair,
    })
    const as = async (user: string, path: string) =>
      (await client.send('GET', `${BASE}${path}`, { headers: { 'x-remote-user': user } })).status
    try {
      expect(await as('bo', '/namespaces/search/receipts')).toBe(200)
      expect(await as('bo', '/namespaces/payments/receipts')).toBe(403)
      expect(await as('bo', `/namespaces/payments/receipts/${nameOf(refund)}`)).toBe(403)
      expect(await as('bo', '/receipts')).toBe(403)
      expect(await as('bo', '/namespaces/search%2F..%2Fpayments/receipts')).toBe(403)
      expect(await as('bo', '/namespaces/%E0%A4%A/receipts')).toBe(400)
      expect((await client.send('GET', `${BASE}/receipts`)).status).toBe(401)
    } finally {
      client.close()
    }
  })

  test('is not believed with the certificate of another authority', async () => {
    const other = await createAuthority('front-proxy')
    const pair = await other.issue('front-proxy-client')
    const client = ledgerClient({
      port: world.port,
      ca: world.caOfLedger,
      servername: 'remit-ledger.remit-system.svc',
      ...pair,
    })
    try {
      const answer = await client.send('GET', `${BASE}/receipts`, {
        headers: { 'x-remote-user': 'root', 'x-remote-group': 'system:masters' },
      })
      expect(answer.status).toBe(401)
    } finally {
      client.close()
    }
  })
})
