import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Past } from '../../lib/api/ledger.ts'
import { type IntentBody, type Receipt, receiptName } from '../../lib/api/receipt.ts'
import { eventually } from '../harness/eventually.ts'
import { type Agent, startWorld, type World } from './world.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const now = Date.now()
const ago = (ms: number) => now - ms
const iso = (at: number) => new Date(at).toISOString()

let world: World
beforeAll(async () => {
  world = await startWorld()
  await world.ledger.start()
}, 120_000)
afterAll(() => world?.stop())

const agentOf = async (name: string) => {
  const agent = await world.agent('payments', name)
  await world.putRemit(agent, 1)
  return { agent, chain: await begin(agent) }
}
const begin = async (agent: Agent) => {
  const chain = agent.start()
  const post = async () => (await world.client.post(agent.token, [chain.first])).status === 200
  await eventually(post, { what: 'remit known' })
  return chain
}
const send = async (agent: Agent, ...receipts: Receipt[]) => {
  expect((await world.client.post(agent.token, receipts)).text).toContain('"seq"')
}
const name = ({ envelope }: Receipt) => receiptName(envelope)
const ask = (agent: Agent, since: number | string) =>
  world.client.send('GET', `/v1/history?since=${typeof since === 'number' ? iso(since) : since}`, {
    token: agent.token,
  })
const history = async (agent: Agent, since: number): Promise<Past[]> => {
  const answer = await ask(agent, since)
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/x-ndjson' } })
  return answer.text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}
const frozen = {
  kind: 'escalation',
  code: 'AgentFrozen',
  policy: 'payments/billing',
  detail: '3 denials in a row',
} as const

test('tells what the agent did with facts and class, oldest first; model calls are not in it', async () => {
  const { agent, chain } = await agentOf('teller')
  const facts = { amount: [40, '1.5'], 'to[*]': ['ana'] }
  const refund = chain.intent('refund', 'Allow', { at: ago(5 * MINUTE), call: { class: 'SideEffect', facts } })
  const model = chain.next(
    {
      ...(refund.body as object),
      kind: 'intent',
      call: {
        type: 'model',
        model: 'main',
        method: 'POST',
        path: '/v1/chat/completions',
        requestDigest: 'ab'.repeat(32),
        requestBytes: 2,
      },
    } as Receipt['body'],
    ago(4 * MINUTE),
  )
  const said = chain.result(model, 'ok', ago(4 * MINUTE))
  const denied = chain.intent('delete_invoice', 'Deny', { at: ago(3 * MINUTE) })
  // After an outage of the ledger calls may have been denied for want of it: that says nothing of the agent.
  const early = chain.next(
    {
      ...(denied.body as IntentBody),
      decision: { effect: 'Deny', code: 'HistoryNotLoaded', reason: 'Not loaded yet.' },
    },
    ago(3 * MINUTE),
  )
  const failed = chain.result(refund, 'error', ago(2 * MINUTE))
  const freeze = chain.next(frozen, ago(MINUTE))
  const open = chain.intent('get_invoice', 'Allow', { at: ago(0) })
  await send(agent, refund, model, said, denied, early, failed, freeze, open)
  const base = { kind: 'intent', server: 'billing' }
  expect(await history(agent, ago(DAY))).toEqual([
    { ...base, id: name(refund), at: ago(5 * MINUTE), tool: 'refund', effect: 'Allow', class: 'SideEffect', facts },
    { ...base, id: name(denied), at: ago(3 * MINUTE), tool: 'delete_invoice', effect: 'Deny' },
    { kind: 'result', id: name(refund), at: ago(2 * MINUTE), outcome: 'error' },
    { kind: 'frozen', at: ago(MINUTE), policy: 'payments/billing', detail: '3 denials in a row' },
    { ...base, id: name(open), at: ago(0), tool: 'get_invoice', effect: 'Allow' },
  ])
})

test('resources and prompts are told as reads; what servers ask, completions and tasks are not steps of the agent', async () => {
  const { agent, chain } = await agentOf('reader')
  const call = chain.intent('refund', 'Allow', { at: ago(9 * MINUTE) })
  const other = (
    type: 'resource' | 'prompt' | 'request' | 'completion' | 'task',
    effect: 'Allow' | 'Deny',
    at: number,
  ) => {
    const body = call.body as IntentBody
    const digest = { argumentsDigest: 'ab'.repeat(32), argumentsBytes: 2 }
    const asked = { type, server: 'docs', method: 'm/n', name: 'n', ...digest }
    return chain.next({ ...body, call: asked, decision: { effect, reason: 'so' } }, at)
  }
  const read = other('resource', 'Allow', ago(8 * MINUTE))
  const denied = other('prompt', 'Deny', ago(7 * MINUTE))
  const rest = (['request', 'completion', 'task'] as const).map((type) => other(type, 'Allow', ago(6 * MINUTE)))
  const ends = [read, ...rest].map((intent) => chain.result(intent, 'error', ago(5 * MINUTE)))
  await send(agent, call, read, denied, ...rest, ...ends)
  expect(await history(agent, ago(DAY))).toEqual([
    expect.objectContaining({ kind: 'intent', id: name(call) }),
    { kind: 'read', id: name(read), at: ago(8 * MINUTE), server: 'docs', effect: 'Allow' },
    { kind: 'read', id: name(denied), at: ago(7 * MINUTE), server: 'docs', effect: 'Deny' },
    { kind: 'result', id: name(read), at: ago(5 * MINUTE), outcome: 'error' },
  ])
})

test('goes over pods and container starts in order of time, and says which calls nobody will ever know of', async () => {
  const { agent: first, chain } = await agentOf('mover')
  const lost = chain.intent('lost', 'Allow', { at: ago(9 * MINUTE) })
  const known = chain.intent('known', 'Allow', { at: ago(8 * MINUTE) })
  await send(first, lost, known, chain.result(known, 'ok', ago(7 * MINUTE)))
  // A new container in the same pod: the first one's call is not over until this one says so, which it does not here.
  const restarted = await begin(first)
  const orphaned = restarted.intent('orphaned', 'Allow', { at: ago(6 * MINUTE) })
  await send(first, orphaned)
  const third = await begin(first)
  await send(first, third.next({ kind: 'orphan', intent: name(orphaned) }, ago(5 * MINUTE)))
  const second = await world.again(first)
  const chainOfSecond = await begin(second)
  // Its clock is behind by a day: what it does is told where its clock puts it, a result never before its call.
  const behind = chainOfSecond.intent('behind', 'Allow', { at: ago(DAY) })
  const done = chainOfSecond.result(behind, 'ok', ago(2 * DAY))
  const living = chainOfSecond.intent('living', 'Allow', { at: ago(4 * MINUTE) })
  await send(second, behind, done, living)
  const told = (await history(second, ago(7 * DAY))).map((past) =>
    past.kind === 'intent' ? past.tool : past.kind === 'result' ? `${past.outcome} ${iso(past.at)}` : past.kind,
  )
  expect(told).toEqual([
    'behind',
    `ok ${iso(ago(DAY))}`,
    'lost',
    `unknown ${iso(ago(9 * MINUTE))}`,
    'known',
    `ok ${iso(ago(7 * MINUTE))}`,
    'orphaned',
    `unknown ${iso(ago(5 * MINUTE))}`,
    'living',
  ])
})

test('begins at since, but the last freeze is told whenever it was', async () => {
  const { agent, chain } = await agentOf('freezer')
  const early = chain.next(frozen, ago(90 * DAY))
  const late = chain.next({ ...frozen, detail: 'the later one' }, ago(60 * DAY))
  const old = chain.intent('old', 'Allow', { at: ago(40 * DAY) })
  const edge = chain.intent('edge', 'Allow', { at: ago(DAY) })
  await send(agent, early, late, old, edge)
  const later = { kind: 'frozen', at: ago(60 * DAY), policy: 'payments/billing', detail: 'the later one' }
  expect(await history(agent, ago(DAY))).toEqual([later, expect.objectContaining({ tool: 'edge' })])
  expect(await history(agent, ago(DAY) + 1)).toEqual([later])
  // No further back than rules can look, whatever is asked.
  expect(await history(agent, 0)).toEqual([later, expect.objectContaining({ tool: 'edge' })])
})

test('survives the ledger: the index made again tells the same', async () => {
  const { agent, chain } = await agentOf('survivor')
  const call = chain.intent('refund', 'Allow', { at: ago(MINUTE), call: { class: 'Write', facts: { id: ['a'] } } })
  await send(agent, call, chain.result(call), chain.next(frozen))
  const before = await history(agent, ago(DAY))
  expect(before).toHaveLength(3)
  await world.ledger.kill()
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${world.data}/index.sqlite${suffix}`, { force: true })
  await world.ledger.start()
  expect(await history(agent, ago(DAY))).toEqual(before)
})

describe('who may ask, and what', () => {
  test('an agent for its own only', async () => {
    const { agent, chain } = await agentOf('one')
    const { agent: other } = await agentOf('other')
    await send(agent, chain.intent())
    expect(await history(other, ago(DAY))).toEqual([])
    expect((await world.client.send('GET', '/v1/history?since=2026-01-01T00:00:00Z')).status).toBe(401)
    const operator = await world.operatorToken()
    expect((await world.client.send('GET', '/v1/history?since=2026-01-01T00:00:00Z', { token: operator })).status).toBe(
      403,
    )
  })

  test('an agent without a remit is told to wait; one that is another since, no', async () => {
    const stranger = await world.agent('payments', 'stranger')
    expect((await ask(stranger, ago(DAY))).json.error.code).toBe('NoRemit')
    const { agent } = await agentOf('namesake')
    await world.putRemit({ ...agent, id: crypto.randomUUID() }, 2)
    await eventually(async () => (await ask(agent, ago(DAY))).status === 403, { what: 'the new agent known' })
  })

  test('nothing but a time', async () => {
    const { agent } = await agentOf('asker')
    const good = '2026-01-01T00:00:00Z'
    for (const since of ['', 'yesterday', '2026-13-01T00:00:00Z', '2026-01-01', `${good}&since=${good}`, `${good}&a=b`])
      expect((await ask(agent, since)).json.error).toMatchObject({
        code: 'MalformedRequest',
        message: expect.stringContaining('RFC 3339'),
      })
  })
})

test('one at a time for each pod, however slowly it reads; others are not kept waiting', async () => {
  const { agent, chain } = await agentOf('slow')
  const { agent: other } = await agentOf('quick')
  // 45 MB: more than the buffers of both ends may grow to.
  const facts = { note: ['x'.repeat(12_000)] }
  for (let batch = 0; batch < 15; batch++)
    await send(agent, ...Array.from({ length: 250 }, () => chain.intent('note', 'Deny', { call: { facts } })))
  const path = `/v1/history?since=${iso(ago(DAY))}`
  const slow = await world.client.open(agent.token, path)
  slow.pause()
  const busy = await ask(agent, ago(DAY))
  expect(busy).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
  expect(busy.json.error.code).toBe('LedgerBusy')
  expect(await history(other, ago(DAY))).toEqual([])
  // One that goes away in the middle gives its turn back.
  slow.destroy()
  await eventually(async () => (await ask(agent, ago(MINUTE))).status === 200, { what: 'the turn given back' })
  expect(await history(agent, ago(DAY))).toHaveLength(3_750)
})

test('freezes are for the operator: the last one of each agent, in the counters as well', async () => {
  const { agent, chain } = await agentOf('icy')
  const { agent: warm } = await agentOf('warm')
  await send(agent, chain.next({ ...frozen, detail: 'the first' }, ago(MINUTE)), chain.next(frozen, ago(0)))
  expect((await world.client.send('GET', '/v1/frozen', { token: agent.token })).status).toBe(403)
  const token = await world.operatorToken()
  const { agents } = (await world.client.send('GET', '/v1/frozen', { token })).json
  const freeze = { at: iso(ago(0)), policy: 'payments/billing', detail: '3 denials in a row' }
  expect(agents[agent.id]).toEqual(freeze)
  expect(agents).not.toHaveProperty(warm.id)
  const counters = (await world.client.send('GET', '/v1/counters', { token })).json
  expect(counters.agents[agent.id]).toEqual({ calls: 0, denied: 0, frozen: freeze })
})
