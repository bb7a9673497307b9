import { rmSync } from 'node:fs'
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
    if (!until()) for (let i = 0; i < 20; i++) spool.push(make())
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
