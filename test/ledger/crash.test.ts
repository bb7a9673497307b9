import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Receipt } from '../../lib/api/receipt.ts'
import { verifyReceipts } from '../../lib/core/chain.ts'
import { eventually } from '../harness/eventually.ts'
import { type Agent, startWorld, type World } from './world.ts'

let world: World
let agents: Agent[]
beforeAll(async () => {
  world = await startWorld()
  await world.ledger.start()
  agents = await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.agent('payments', name)))
  for (const agent of agents) await world.putRemit(agent, 1)
}, 120_000)
afterAll(() => world?.stop())

const stored = async (agent: Agent): Promise<Receipt[]> => {
  const path = `/apis/evidence.remit.dev/v1alpha1/namespaces/${agent.namespace}/receipts?labelSelector=remit.dev/agent=${agent.name}`
  const list = () => world.apiserver.client.request<{ items: Receipt[] }>('GET', path)
  const { items } = await eventually(list, { timeoutMs: 60_000, what: 'evidence served' })
  return items.map(({ envelope, body }) => ({ envelope, body }))
}

/** A sidecar that drains its spool as ours does: in order, from what was acknowledged, again after each failure. */
const drain = async (agent: Agent, spool: Receipt[], until: () => boolean, make: () => Receipt): Promise<number> => {
  let acked = -1
  while (!until() || acked < spool.length - 1) {
    // No more than one segment of the ledger's holds, however long a busy machine takes for the kills.
    if (!until() && spool.length < 2_000) for (let i = 0; i < 20; i++) spool.push(make())
    try {
      const answer = await world.client.post(agent.token, spool.slice(acked + 1, acked + 101))
      if (answer.status === 200) acked = answer.json.seq
      else if (answer.json?.error.code === 'ReceiptGap') acked = answer.json.error.expectedSeq - 1
      else await new Promise((resolve) => setTimeout(resolve, 100))
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return acked
}

test('kill -9 under load loses nothing and doubles nothing, with and without its index', async () => {
  let over = false
  const spools = agents.map((agent) => {
    const chain = agent.start()
    const spool = [chain.first]
    return {
      agent,
      spool,
      done: drain(
        agent,
        spool,
        () => over,
        () => chain.intent(),
      ),
    }
  })
  for (let kill = 0; kill < 4; kill++) {
    await new Promise((resolve) => setTimeout(resolve, 700))
    await world.ledger.kill()
    if (kill % 2)
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(world.data, `index.sqlite${suffix}`), { force: true })
    await world.ledger.start()
  }
  over = true
  for (const { agent, spool, done } of spools) {
    expect(await done).toBe(spool.length - 1)
    const kept = await stored(agent)
    expect(kept).toEqual(spool)
    expect(verifyReceipts(kept)).toEqual({ ok: true })
  }
  expect(Math.min(...spools.map(({ spool }) => spool.length))).toBeGreaterThan(100)
}, 120_000)

test('a disk that is full is said, keeps nothing of what it refused, and nothing is lost', async () => {
  const agent = agents[0] as Agent
  await world.ledger.stop()
  const size = Math.max(
    ...readdirSync(join(world.data, 'receipts')).map((name) => statSync(join(world.data, 'receipts', name)).size),
  )
  await world.ledger.start({ maxFileKiB: Math.ceil(size / 1024) + 64 })
  const chain = agent.start()
  const spool = [chain.first]
  for (let i = 0; i < 400; i++) spool.push(chain.intent())
  let acked = -1
  let full = false
  while (!full && acked < spool.length - 1) {
    const answer = await world.client.post(agent.token, spool.slice(acked + 1, acked + 11))
    full = answer.status === 507
    if (!full) acked = answer.json.seq
    else expect(answer.json.error.code).toBe('LedgerFull')
  }
  expect(full).toBe(true)
  expect((await world.client.post(agent.token, spool.slice(acked + 1, acked + 11))).status).toBe(507)
  await world.ledger.kill()
  await world.ledger.start()
  const rest = await world.client.post(agent.token, spool.slice(acked + 1))
  expect(rest.json).toEqual({ incarnation: chain.incarnation, seq: spool.length - 1 })
  const kept = (await stored(agent)).filter((r) => r.envelope.incarnation === chain.incarnation)
  expect(kept).toEqual(spool)
}, 60_000)
