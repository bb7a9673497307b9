import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Receipt } from '../../lib/api/receipt.ts'
import { envelopeHash, newIncarnation, seal, startChain } from '../../lib/core/chain.ts'
import type { StoredReceipt } from './record.ts'
import { openStore, type ReceiptStore } from './store.ts'

let dir: string
let store: ReceiptStore | undefined
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'remit-store-'))
})
afterEach(async () => {
  await store?.close()
  store = undefined
  await rm(dir, { recursive: true })
})

const chainOf = (agent: string) => {
  const incarnation = newIncarnation()
  let state = startChain(incarnation, agent)
  const next = (body: Receipt['body']): StoredReceipt => {
    const sealed = seal(state, body.kind, body, Date.parse('2026-10-05T02:00:00Z') + state.seq, 1)
    state = sealed.state
    const { receipt } = sealed
    return {
      at: '2026-10-05T02:00:00.000Z',
      namespace: 'payments',
      agent: 'bot',
      hash: envelopeHash(receipt.envelope),
      receipt,
    }
  }
  const identity = { id: agent, namespace: 'payments', name: 'bot' }
  const first = next({
    kind: 'incarnation',
    agent: identity,
    podUID: 'pod',
    publicKey: incarnation.publicKey,
    sidecar: { version: '1' },
  })
  const intent = (effect: 'Allow' | 'Deny' = 'Allow') =>
    next({
      kind: 'intent',
      agent: { ...identity, createdBy: { username: 'ana', at: '' } },
      owner: { group: 'team', onCall: ['ana'] },
      remit: { digest: 'd', generation: 1 },
      call: { type: 'tool', server: 'billing', tool: 'refund', argumentsDigest: 'd', argumentsBytes: 2 },
      decision: { effect, reason: 'so' },
    })
  return {
    id: incarnation.id,
    first,
    next,
    intent,
    name: (r: StoredReceipt) => `${incarnation.id}-${r.receipt.envelope.seq}`,
  }
}
const everything = { after: 0, until: Number.MAX_SAFE_INTEGER, limit: 1_000 }
const snapshot = (of: ReceiptStore) => ({
  rows: of.index.rows({ sql: '1', values: [] }, everything),
  counters: of.index.counters(),
})

const fill = async (of: ReceiptStore) => {
  const chain = chainOf('one')
  const intent = chain.intent()
  await of.add([chain.first, intent, chain.intent('Deny')])
  await of.add([chain.next({ kind: 'result', intent: chain.name(intent), outcome: 'ok', durationMs: 1 })])
  return { chain, intent }
}

test('an intent learns its outcome, of its own agent only, and only once', async () => {
  store = await openStore({ dir })
  const { chain, intent } = await fill(store)
  const outcome = () => store?.index.byName('payments', chain.name(intent))?.outcome
  expect(outcome()).toBe('ok')
  const other = chainOf('two')
  await store.add([
    other.first,
    other.next({ kind: 'result', intent: chain.name(intent), outcome: 'error', durationMs: 1 }),
  ])
  await store.add([chain.next({ kind: 'orphan', intent: chain.name(intent) })])
  expect(outcome()).toBe('ok')
  expect(store.index.counters()).toEqual({
    agents: { one: { calls: 2, denied: 1, lastAction: { at: '2026-10-05T02:00:00.002Z', what: 'billing/refund' } } },
  })
})

test('everything that was asked for counts as a call, and only what an agent did is in its history', async () => {
  store = await openStore({ dir })
  const chain = chainOf('one')
  const asked = (type: 'resource' | 'request', effect: 'Allow' | 'Deny') => {
    const { body } = chain.intent(effect).receipt
    const call = { type, server: 'docs', method: 'm', name: 'n', argumentsDigest: 'd', argumentsBytes: 2 }
    return chain.next({ ...body, call } as Receipt['body'])
  }
  const [read, denied, request] = [asked('resource', 'Allow'), asked('resource', 'Deny'), asked('request', 'Allow')]
  const done = [read, request].map((of) =>
    chain.next({ kind: 'result', intent: chain.name(of), outcome: 'error', durationMs: 1 }),
  )
  await store.add([chain.first, read, denied, request, ...done])
  expect(store.index.counters().agents.one).toMatchObject({ calls: 3, denied: 1, lastAction: { what: 'docs asks n' } })
  const past = store.index.past('one', { past: 0, n: 0 }, 100)
  expect(past.map(({ kind, type, intent }) => [kind, type ?? intent])).toEqual([
    ['intent', 'resource'],
    ['intent', 'resource'],
    ['result', chain.name(read)],
  ])
})

test.each([
  ['deleted', async (path: string) => rm(path)],
  ['not a database', async (path: string) => writeFile(path, 'garbage'.repeat(1_000))],
  ['of another version', async (path: string) => new DatabaseSync(path).exec('PRAGMA user_version = 99')],
])('an index that is %s is made again, the same as before', async (_, spoil) => {
  store = await openStore({ dir, segmentBytes: 1_000 })
  await fill(store)
  const before = snapshot(store)
  await store.close()
  await spoil(join(dir, 'index.sqlite'))
  store = await openStore({ dir, segmentBytes: 1_000 })
  expect(snapshot(store)).toEqual(before)
  expect(await Promise.all(before.rows.map(async (row) => (await (store as ReceiptStore).read(row)).hash))).toEqual(
    before.rows.map((row) => row.hash),
  )
})

test('while the index cannot be written nothing new is taken, and what was taken is found again', async () => {
  store = await openStore({ dir })
  const { chain } = await fill(store)
  const blocker = new DatabaseSync(join(dir, 'index.sqlite'))
  blocker.exec('BEGIN IMMEDIATE')
  const next = chain.intent()
  await expect(store.add([next])).rejects.toMatchObject({ name: 'LogFull' })
  await expect(store.settled()).rejects.toMatchObject({ name: 'LogFull' })
  await expect(store.add([chain.intent()])).rejects.toMatchObject({ name: 'LogFull' })
  blocker.exec('ROLLBACK')
  blocker.close()
  await store.settled()
  expect(store.index.hash(chain.id, next.receipt.envelope.seq)).toBe(next.hash)
  expect(store.index.incarnation(chain.id)?.seq).toBe(next.receipt.envelope.seq)
  await store.add([{ ...chain.intent(), namespace: 'payments' }])
  expect(store.index.head()).toBe(6)
})
