import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Receipt } from '../../lib/api/receipt.ts'
import { eventually } from '../harness/eventually.ts'
import { serviceAccountToken } from '../harness/world.ts'
import { ndjson } from './client.ts'
import { type Agent, deletePod, startWorld, type World } from './world.ts'

let world: World
let agent: Agent
beforeAll(async () => {
  world = await startWorld()
  await world.ledger.start()
  agent = await world.agent('payments', 'billing-bot')
  await world.putRemit(agent, 1)
  await known(agent)
}, 120_000)
afterAll(() => world?.stop())

/** Waits until the ledger knows the agent's remit. */
const known = async (of: Agent) => {
  const stream = await world.client.follow(of.token)
  await eventually(() => stream.events.some((e) => e.name === 'remit'), { what: 'remit known' })
  stream.close()
}
const started = async (of: Agent = agent) => {
  const chain = of.start()
  expect((await world.client.post(of.token, [chain.first])).status).toBe(200)
  return chain
}

describe('a chain', () => {
  test('is acknowledged up to its last receipt, and again when it is sent again', async () => {
    const chain = agent.start()
    const intent = chain.intent()
    const batch = [chain.first, intent, chain.result(intent)]
    const ack = { incarnation: chain.incarnation, seq: 2 }
    expect((await world.client.post(agent.token, batch)).json).toEqual(ack)
    expect((await world.client.post(agent.token, batch)).json).toEqual(ack)
    const more = chain.intent()
    expect((await world.client.post(agent.token, [...batch.slice(1), more])).json).toEqual({ ...ack, seq: 3 })
  })

  test('with a hole is answered with where it goes on', async () => {
    const chain = await started()
    chain.intent()
    const answer = await world.client.post(agent.token, [chain.intent()])
    expect(answer.status).toBe(409)
    expect(answer.json.error).toMatchObject({ code: 'ReceiptGap', expectedSeq: 1 })
  })

  test('of an unknown incarnation must begin at its beginning', async () => {
    const answer = await world.client.post(agent.token, [agent.start().intent()])
    expect(answer.json.error).toMatchObject({ code: 'ReceiptGap', expectedSeq: 0 })
  })

  test('with a second receipt of a recorded number is a fork, and changes nothing', async () => {
    const chain = await started()
    const intent = chain.intent()
    await world.client.post(agent.token, [intent])
    const other = { ...intent, envelope: { ...intent.envelope, time: '2026-10-05T02:00:00.000Z' } }
    expect((await world.client.post(agent.token, [other])).json.error.code).toBe('ReceiptFork')
    expect((await world.client.post(agent.token, [intent])).json.seq).toBe(1)
  })
})

describe('who may send', () => {
  const refused = async (token: string | undefined, receipts: Receipt[], status: number, code: string) => {
    const answer = await world.client.send('POST', '/v1/receipts', { token, body: ndjson(receipts) })
    expect({ status: answer.status, code: answer.json.error.code }).toEqual({ status, code })
  }

  test('nobody without a token of this cluster and audience', async () => {
    const account = { namespace: agent.namespace, name: 'agent-billing-bot' }
    const { client } = world.apiserver
    const first = [agent.start().first]
    await refused(undefined, first, 401, 'Unauthenticated')
    await refused('x.y.z', first, 401, 'Unauthenticated')
    await refused(await serviceAccountToken(client, account, { pod: agent.pod }), first, 401, 'Unauthenticated')
    const [header, payload] = agent.token.split('.')
    await refused(`${header}.${payload}.${randomBytes(256).toString('base64url')}`, first, 401, 'Unauthenticated')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    await refused(`${none}.${payload}.`, first, 401, 'Unauthenticated')
  })

  test('no token that is not bound to a pod, and no account that is not an agent’s', async () => {
    const { client } = world.apiserver
    const unbound = await serviceAccountToken(
      client,
      { namespace: agent.namespace, name: 'agent-billing-bot' },
      { audience: 'remit-ledger' },
    )
    await refused(unbound, [agent.start().first], 403, 'Forbidden')
    const other = await serviceAccountToken(
      client,
      { namespace: agent.namespace, name: 'default' },
      { audience: 'remit-ledger' },
    )
    await refused(other, [agent.start().first], 403, 'Forbidden')
  })

  test('no pod for another pod or another agent', async () => {
    const other = await world.agent('payments', 'other-bot')
    await world.putRemit(other, 1)
    await known(other)
    await refused(other.token, [agent.start().first], 403, 'Forbidden')
    const chain = await started()
    await refused(other.token, [chain.intent()], 403, 'Forbidden')
    const impostor = { ...other, id: agent.id }
    const own = (await import('./chain.ts')).newChain(impostor, other.pod)
    await refused(other.token, [own.first], 403, 'Forbidden')
  })

  test('no pod that has been deleted', async () => {
    const gone = await world.agent('payments', 'gone-bot')
    await world.putRemit(gone, 1)
    await deletePod(world, gone)
    await refused(gone.token, [gone.start().first], 401, 'Unauthenticated')
  })

  test('an agent whose remit has not come yet is told to wait', async () => {
    const early = await world.agent('payments', 'early-bot')
    await refused(early.token, [early.start().first], 503, 'NoRemit')
  })
})

describe('what is not a receipt is refused and leaves nothing', () => {
  const cases: [string, (intent: Receipt) => string | Buffer, number, string][] = [
    ['nothing', () => '', 400, 'MalformedRequest'],
    ['not JSON', () => 'hello\n', 400, 'MalformedRequest'],
    ['JSON that is cut', (r) => JSON.stringify(r).slice(0, -5), 400, 'MalformedRequest'],
    ['20,000 lists in one another', () => '['.repeat(20_000), 400, 'MalformedRequest'],
    ['200,000 of them', () => '['.repeat(200_000), 413, 'RequestTooLarge'],
    ['a line that is too long', () => `"${'a'.repeat(200_000)}"\n`, 413, 'RequestTooLarge'],
    ['a body over 4 MiB', () => Buffer.alloc(4 * 1024 * 1024 + 1, 0x20), 413, 'RequestTooLarge'],
    ['invalid UTF-8', () => Buffer.from([0x22, 0xff, 0xfe, 0x22]), 400, 'MalformedRequest'],
    [
      'the same key twice',
      (r) => JSON.stringify(r).replace('{"envelope"', '{"body":1,"envelope"'),
      400,
      'MalformedRequest',
    ],
    ['__proto__', (r) => JSON.stringify(r).replace('"body":{', '"body":{"__proto__":{},'), 400, 'MalformedRequest'],
    ['an empty line between', (r) => `\n${JSON.stringify(r)}`, 400, 'MalformedRequest'],
    [
      'an envelope with more',
      (r) => JSON.stringify({ ...r, envelope: { ...r.envelope, note: 1 } }),
      400,
      'ReceiptInvalid',
    ],
    ['a body that was changed', (r) => JSON.stringify(r).replace('get_invoice', 'refund'), 400, 'ReceiptInvalid'],
    [
      'a signature that was changed',
      (r) => JSON.stringify({ ...r, envelope: { ...r.envelope, sig: `A${r.envelope.sig.slice(1)}` } }),
      400,
      'ReceiptInvalid',
    ],
    ['an effect nobody knows', (r) => JSON.stringify(r).replace('"Allow"', '"Maybe"'), 400, 'ReceiptInvalid'],
  ]
  test.each(cases)('%s', async (_, make, status, code) => {
    const chain = await started()
    const intent = chain.intent()
    const answer = await world.client.send('POST', '/v1/receipts', { token: agent.token, body: make(intent) })
    expect({ status: answer.status, code: answer.json.error.code }).toEqual({ status, code })
    expect((await world.client.post(agent.token, [intent])).json).toEqual({ incarnation: chain.incarnation, seq: 1 })
  })

  test('one bad receipt in a batch refuses the whole batch', async () => {
    const chain = await started()
    const good = chain.intent()
    const bad = chain.intent()
    const changed = { ...bad, envelope: { ...bad.envelope, prev: good.envelope.body } }
    expect((await world.client.post(agent.token, [good, changed])).json.error.code).toBe('ReceiptInvalid')
    expect((await world.client.post(agent.token, [bad])).json.error).toMatchObject({
      code: 'ReceiptGap',
      expectedSeq: 1,
    })
  })

  test('an intent that names another agent', async () => {
    const chain = await started()
    const own = chain.intent().body
    const foreign = chain.next({
      ...own,
      agent: { ...(own as { agent: object }).agent, name: 'other-bot' },
    } as Receipt['body'])
    const again = agent.start()
    const stolen = again.next(foreign.body)
    await world.client.post(agent.token, [again.first])
    expect((await world.client.post(agent.token, [stolen])).json.error.code).toBe('Forbidden')
  })
})

test('counters are the operator’s alone', async () => {
  const counted = await world.agent('counted', 'counter')
  await world.putRemit(counted, 1)
  await known(counted)
  const chain = await started(counted)
  const at = new Date().toISOString()
  await world.client.post(counted.token, [chain.intent('refund'), chain.intent('delete_invoice', 'Deny')])
  expect((await world.client.send('GET', '/v1/counters', { token: counted.token })).status).toBe(403)
  expect((await world.client.send('GET', '/v1/counters')).status).toBe(401)
  const counters = (await world.client.send('GET', '/v1/counters', { token: await world.operatorToken() })).json
  expect(counters.agents[counted.id]).toMatchObject({
    calls: 2,
    denied: 1,
    lastAction: { what: 'billing/delete_invoice' },
  })
  expect(counters.agents[counted.id].lastAction.at >= at).toBe(true)
})

test('no secret is in the log', () => {
  const log = world.ledger.log()
  expect(log).toContain('ledger listens')
  expect(log).not.toContain(agent.token.split('.')[2])
})
