import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { get, mergePatch, remove } from '../../lib/kube/objects.ts'
import { agentIdentities, deployments, leases, pods } from '../../lib/kube/resources.ts'
import { eventually } from '../harness/eventually.ts'
import { agreement, NONE } from './support/account.ts'
import { logOf, podOf, waitCondition, waitReady } from './support/agents.ts'
import { journalOf, refundedOf } from './support/billing.ts'
import { agentOf, applyPayments } from './support/company.ts'
import { config } from './support/config.ts'
import { type Killer, killerHere, makeKiller, partPods, restartsOf, waitPart } from './support/killer.ts'
import { apply, kubectl, ok, tryApply } from './support/kubectl.ts'
import { withoutApiserver } from './support/outage.ts'
import { IDLE } from './support/probe.ts'
import { incarnationsIn, intentsIn, receiptsOf, remitsIn } from './support/receipts.ts'
import { client, dropNamespaces, makeNamespace } from './support/world.ts'

const SYSTEM = 'remit-system'
const CENT = { server: 'billing', tool: 'refund', arguments: { invoice_id: 'INV-1007', amount: 0.01, currency: 'EUR' } }
let ns: string
let killer: Killer

beforeAll(async () => {
  ns = await makeNamespace('bad')
  await applyPayments(ns)
  ;[killer] = await Promise.all([makeKiller(), ok(['rollout', 'status', '-n', ns, 'deploy/billing-mcp'])])
  await apply(agentOf({ name: 'busy', namespace: ns, steps: [CENT], everyMs: 25 }))
  await waitReady(ns, 'busy')
}, 180_000)
afterAll(() => dropNamespaces(ns, killer.namespace))

/** Calls the billing server was given so far. */
const callsGiven = async () => (await journalOf(ns)).length

/** Waits until the server is given calls again. */
const waitCalls = async (timeoutMs = 20_000) => {
  const before = await callsGiven()
  await eventually(async () => (await callsGiven()) > before + 3, { timeoutMs, everyMs: 300, what: 'calls going on' })
}

/** Waits until calls that began after now are in the record. */
const waitRecorded = (timeoutMs = 20_000) => {
  const since = new Date().toISOString()
  return eventually(async () => intentsIn(await receiptsOf(ns, 'busy', { since })).length > 3, {
    timeoutMs,
    everyMs: 300,
    what: 'calls in the record',
  })
}

const partPod = async (part: 'operator' | 'webhook' | 'ledger') => {
  const [pod] = await waitPart(part)
  return { namespace: SYSTEM, name: pod!.metadata.name, container: part }
}

test('kill -9 of a sidecar under load: calls fail clearly, and go on by themselves', async () => {
  const pod = { namespace: ns, name: 'agent-busy', container: 'remit-sidecar' }
  const { uid } = (await podOf(ns, 'busy'))!.metadata
  await waitRecorded()
  await killer.kill(pod)
  await eventually(async () => (await restartsOf(pod)) === 1, { timeoutMs: 20_000 })
  await waitRecorded()
  expect((await podOf(ns, 'busy'))?.metadata.uid).toBe(uid)
  expect(incarnationsIn(await receiptsOf(ns, 'busy')).length).toBe(2)
  const failed = (await logOf(ns, 'busy')).split('\n').filter((line) => /^(failed|refused) /.test(line))
  expect(failed.length).toBeGreaterThan(0)
  expect(failed.filter((line) => !/-> \S/.test(line))).toEqual([])
})

test('kill -9 of the ledger: agents go on, people are told, and the record catches up', async () => {
  const pod = await partPod('ledger')
  await killer.kill(pod)
  await waitCalls()
  await eventually(async () => (await restartsOf(pod)) === 1, { timeoutMs: 30_000 })
  await waitPart('ledger')
  await waitRecorded(30_000)
})

test('the ledger’s pod gone: people get an error, agents go on, and the record catches up', async () => {
  await remove(client, pods, { namespace: SYSTEM, name: 'remit-ledger-0' }, { gracePeriodSeconds: 0 })
  const { code, err } = await kubectl(['get', 'receipts', '-n', ns])
  if (code !== 0) expect(err).toMatch(/unavailable|unable to handle the request|refused/i)
  await waitCalls()
  await waitPart('ledger')
  await waitRecorded(40_000)
})

test('kill -9 of the webhook: agents are refused until it answers again, running ones go on', async () => {
  const pod = await partPod('webhook')
  await killer.kill(pod)
  const fresh = agentOf({ name: 'meanwhile', namespace: ns, steps: [], program: IDLE })
  const first = await tryApply([fresh])
  if (first.code !== 0) expect(first.err).toMatch(/failed calling webhook/)
  await eventually(async () => (await restartsOf(pod)) >= 1, { timeoutMs: 30_000 })
  await eventually(async () => (await tryApply([fresh])).code === 0, { timeoutMs: 30_000 })
  await waitReady(ns, 'meanwhile')
  // What it let through while it was away would have no sidecar.
  expect((await podOf(ns, 'meanwhile'))?.spec?.initContainers?.map(({ name }) => name)).toEqual(['remit-sidecar'])
  await waitCalls()
})

test('kill -9 of the operator: what changed meanwhile is enforced', async () => {
  const policy = [
    ...['patch', 'agentpolicy', 'billing', '-n', ns, '--type', 'json', '-p'],
    JSON.stringify([{ op: 'replace', path: '/spec/tools/1/where/0/max', value: '19999.00' }]),
  ]
  const pod = await partPod('operator')
  const known = remitsIn(await receiptsOf(ns, 'busy')).length
  await killer.kill(pod)
  await ok(policy)
  await eventually(async () => remitsIn(await receiptsOf(ns, 'busy')).length > known, {
    timeoutMs: 60_000,
    everyMs: 500,
    what: 'the changed policy in force',
  })
})

test('two operators: one writes, and when it is gone the other does, under a later epoch', async () => {
  const lease = async () => (await get(client, leases, { namespace: SYSTEM, name: 'remit-operator' })).spec
  const scale = (replicas: number) =>
    mergePatch(client, deployments, { namespace: SYSTEM, name: 'remit-operator' }, { spec: { replicas } })
  await scale(2)
  try {
    const two = (await waitPart('operator', 2)).map(({ metadata }) => metadata.name)
    const before = await eventually(lease)
    const leader = before.holderIdentity?.split('_')[0] ?? ''
    expect(two).toContain(leader)
    const other = two.find((name) => name !== leader)!
    const written = (name: string) => ok(['logs', '-n', SYSTEM, name])
    expect(await written(other)).not.toMatch(/remit signed|pod made|"reconcileId"/)
    await remove(client, pods, { namespace: SYSTEM, name: leader }, { gracePeriodSeconds: 0 })
    const after = await eventually(
      async () => {
        const spec = await lease()
        return spec?.holderIdentity && !spec.holderIdentity.startsWith(leader) ? spec : undefined
      },
      { timeoutMs: 40_000, everyMs: 500, what: 'another leader' },
    )
    expect(after.leaseTransitions).toBeGreaterThan(before.leaseTransitions ?? 0)
    // The new writer writes: an agent is suspended, which takes a pod away.
    await mergePatch(client, agentIdentities, { namespace: ns, name: 'meanwhile' }, { spec: { suspended: true } })
    await waitCondition(ns, 'meanwhile', { status: 'False', reason: 'AgentSuspended' })
  } finally {
    await scale(1)
    await eventually(async () => (await partPods('operator')).length === 1, { timeoutMs: 30_000 })
  }
}, 150_000)

if (config.provider === 'local') {
  test('the API server gone for a minute, sidecar and ledger killed in it: agents go on under their last remit, and the record catches up', async () => {
    const sidecar = { namespace: ns, name: 'agent-busy', container: 'remit-sidecar' }
    const kill = await Promise.all([killerHere(sidecar), killerHere(await partPod('ledger'))])
    const began = Date.now()
    await withoutApiserver(90, async () => {
      await pause(15_000)
      for (const now of kill) now()
      await pause(45_000)
    })
    const ended = Date.now()
    await eventually(async () => (await kubectl(['get', '--raw', '/readyz'])).code === 0, { timeoutMs: 30_000 })
    await waitPart('ledger')
    const given = (await journalOf(ns))
      .map(({ at }) => Date.parse(at))
      .filter((at) => at > began && at < began + 60_000)
    // Until the kill, and again once the kubelet has started the sidecar anew, ten seconds later as it does the second time.
    const tens = new Set(given.map((at) => Math.floor((at - began) / 10_000)))
    for (const ten of [0, 1, 4, 5]) expect(tens).toContain(ten)
    const meanwhile = await eventually(
      async () => {
        const query = { since: new Date(began).toISOString(), until: new Date(ended).toISOString() }
        const intents = intentsIn(await receiptsOf(ns, 'busy', query))
        return intents.length >= given.length ? intents : undefined
      },
      { timeoutMs: 30_000, everyMs: 500, what: 'the record of that minute' },
    )
    expect(new Set(meanwhile.map(({ body }) => body.remit.digest)).size).toBe(1)
    await waitReady(ns, 'busy')
  }, 200_000)
}

test('after all of it, every call in the world has its intent, every intent its end, and nothing is lost or doubled', async () => {
  await mergePatch(client, agentIdentities, { namespace: ns, name: 'busy' }, { spec: { suspended: true } })
  await eventually(async () => (await podOf(ns, 'busy')) === undefined, { timeoutMs: 45_000 })
  expect(await agreement(ns, 'busy')).toEqual(NONE)
  const refunds = (await journalOf(ns)).filter(({ tool }) => tool === 'refund')
  expect(Math.round((await refundedOf(ns, 'INV-1007')) * 100)).toBe(refunds.length)
  expect(refunds.length).toBeGreaterThan(500)
})
