import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SignedRemit } from '../../lib/api/remit.ts'
import { remove } from '../../lib/kube/objects.ts'
import { agentRemits } from '../../lib/kube/resources.ts'
import { eventually } from '../harness/eventually.ts'
import type { Event } from './client.ts'
import { type Agent, startWorld, type World } from './world.ts'

let world: World
let agent: Agent
beforeAll(async () => {
  world = await startWorld()
  await world.ledger.start()
  agent = await world.agent('payments', 'billing-bot')
}, 120_000)
afterAll(() => world?.stop())

const remits = (events: Event[]) =>
  events.flatMap((e) => (e.name === 'remit' ? [JSON.parse(e.data as string) as SignedRemit] : []))
const generations = (events: Event[]) => remits(events).map(({ remit }) => remit.generation)

test('each write reaches the sidecar within a second, the current one first', async () => {
  const early = await world.client.follow(agent.token)
  expect(early.status).toBe(200)
  const delays: number[] = []
  for (let generation = 1; generation <= 10; generation++) {
    await world.putRemit(agent, generation)
    const written = Date.now()
    await eventually(() => generations(early.events).includes(generation), {
      everyMs: 5,
      what: `generation ${generation}`,
    })
    delays.push((early.events.at(-1)?.at ?? 0) - written)
  }
  expect(Math.max(...delays)).toBeLessThan(1_000)
  expect(generations(early.events)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])

  const late = await world.client.follow(agent.token)
  await eventually(() => generations(late.events).length > 0, { what: 'the current remit' })
  expect(generations(late.events)).toEqual([10])
  early.close()
  late.close()
})

test('nobody is sent another agent’s remit', async () => {
  const other = await world.agent('search', 'billing-bot')
  await world.putRemit(other, 1)
  const stream = await world.client.follow(other.token)
  await eventually(() => generations(stream.events).length > 0, { what: 'its own remit' })
  await world.putRemit(agent, 11)
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(remits(stream.events).map(({ remit }) => remit.agent.id)).toEqual([other.id])
  stream.close()
  expect((await world.client.send('GET', '/v1/remit')).status).toBe(401)
})

test('an older generation or epoch is never sent, also not by a ledger started again', async () => {
  await world.putRemit(agent, 20, { epoch: 3 })
  const stream = await world.client.follow(agent.token)
  await eventually(() => generations(stream.events).includes(20), { what: 'generation 20' })
  await remove(world.apiserver.client, agentRemits, { namespace: agent.namespace, name: agent.name })
  await world.putRemit(agent, 19, { epoch: 3 })
  await world.putRemit(agent, 21, { epoch: 2 })
  await new Promise((resolve) => setTimeout(resolve, 500))
  // The one before may have been told until 20 was on disk.
  const told = generations(stream.events)
  expect(told.slice(told.indexOf(20))).toEqual([20])
  await world.ledger.kill()
  await stream.ended
  await world.ledger.start()
  const again = await world.client.follow(agent.token)
  await eventually(() => again.events.some((e) => e.comment), { what: 'an open stream' })
  await world.putRemit(agent, 22, { epoch: 3 })
  await eventually(() => generations(again.events).includes(22), { what: 'generation 22' })
  expect(generations(again.events)).toEqual([22])
  again.close()
})

test('with the API server away, a restarted ledger still knows keys, remits and receipts', async () => {
  await world.putRemit(agent, 30, { epoch: 3 })
  const before = await world.client.follow(agent.token)
  await eventually(() => generations(before.events).includes(30), { what: 'generation 30' })
  const chain = agent.start()
  expect((await world.client.post(agent.token, [chain.first])).status).toBe(200)

  await world.apiserver.kill()
  expect((await world.client.post(agent.token, [chain.intent()])).json).toMatchObject({ seq: 1 })
  await world.ledger.kill()
  await before.ended
  await world.ledger.start()
  const after = await world.client.follow(agent.token)
  await eventually(() => generations(after.events).length > 0, { what: 'the remit from disk' })
  expect(generations(after.events)).toEqual([30])
  expect((await world.client.post(agent.token, [chain.intent()])).json).toMatchObject({ seq: 2 })
  expect(
    (await world.client.send('POST', '/v1/receipts', { token: `${agent.token.slice(0, -8)}AAAAAAAA`, body: '{}' }))
      .status,
  ).toBe(401)

  await world.apiserver.restart()
  await world.putRemit(agent, 31, { epoch: 3 })
  await eventually(() => generations(after.events).includes(31), {
    timeoutMs: 45_000,
    what: 'generation 31 after the API server came back',
  })
  after.close()
}, 90_000)

test('SIGTERM ends streams and exits with 0', async () => {
  const stream = await world.client.follow(agent.token)
  expect(await world.ledger.stop()).toBe(0)
  await stream.ended
})
