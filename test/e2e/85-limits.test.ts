import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { list } from '../../lib/kube/objects.ts'
import { events } from '../../lib/kube/resources.ts'
import { eventually } from '../harness/eventually.ts'
import { agentNow, conditionOf, podOf, waitCondition, waitLine, waitReady } from './support/agents.ts'
import { journalOf } from './support/billing.ts'
import { agentOf, applyPayments, type Step } from './support/company.ts'
import { type Killer, makeKiller, restartsOf } from './support/killer.ts'
import { apply, kubectl, ok } from './support/kubectl.ts'
import { incarnationsIn, intentsIn, receiptName, receiptsOf } from './support/receipts.ts'
import { client, dropNamespaces, makeNamespace } from './support/world.ts'

let ns: string
let killer: Killer
beforeAll(async () => {
  ns = await makeNamespace('limits')
  killer = await makeKiller()
  await applyPayments(ns)
}, 180_000)
afterAll(() => dropNamespaces(ns, killer.namespace))

const read: Step = { server: 'billing', tool: 'get_invoice', arguments: { invoice_id: 'INV-1007' } }
const refund = (amount: number): Step => ({
  server: 'billing',
  tool: 'refund',
  arguments: { invoice_id: 'INV-1007', amount, currency: 'EUR' },
})
const policy = (name: string, spec: object) => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'AgentPolicy',
  metadata: { name, namespace: ns },
  spec,
})
const reading = { name: 'reading', match: { servers: ['billing'], tools: ['get_*'] }, effect: 'Allow' }
const refunds = { name: 'refunds', match: { servers: ['billing'], tools: ['refund'] }, effect: 'Allow' }
const where = (max: string) => [
  { arg: 'amount', min: '0.01', max },
  { arg: 'currency', in: ['EUR'] },
]
const start = async (name: string, steps: Step[]) => {
  await apply(agentOf({ name, namespace: ns, steps, everyMs: 300, spec: { policyRefs: [{ name }] } }))
  await waitReady(ns, name)
}

/** What the record says of refunds so far: how many were allowed, and the container starts that had one denied by a limit. */
const refundsOf = async (agent: string) => {
  const receipts = await receiptsOf(ns, agent)
  const calls = intentsIn(receipts).filter(({ body }) => body.call.type === 'tool' && body.call.tool === 'refund')
  const limited = calls.filter(({ body }) => body.decision.code === 'LimitReached')
  return {
    allowed: calls.filter(({ body }) => body.decision.effect === 'Allow').length,
    limited: new Set(limited.map(({ envelope }) => envelope.incarnation)),
    pods: new Set(incarnationsIn(receipts).map(({ body }) => body.podUID)),
    starts: incarnationsIn(receipts).length,
  }
}
/** Waits until a limit has denied a refund in so many container starts. */
const limitedIn = (agent: string, starts: number) =>
  eventually(
    async () => {
      const found = await refundsOf(agent)
      return found.limited.size >= starts ? found : undefined
    },
    { timeoutMs: 60_000, everyMs: 500, what: `${agent}: a refund denied by its limit in ${starts} container starts` },
  )
const replacePod = async (agent: string) => {
  const before = await podOf(ns, agent)
  await ok(['delete', 'pod', `agent-${agent}`, '-n', ns])
  await eventually(
    async () => {
      const now = await podOf(ns, agent)
      return now && now.metadata.uid !== before?.metadata.uid
    },
    { timeoutMs: 60_000, what: 'another pod' },
  )
  await waitReady(ns, agent)
}
const killSidecar = async (agent: string) => {
  const container = { namespace: ns, name: `agent-${agent}`, container: 'remit-sidecar' }
  const before = await restartsOf(container)
  await killer.kill(container)
  await eventually(async () => (await restartsOf(container)) > before, { timeoutMs: 60_000, what: 'a restart' })
}

describe.each<[name: string, limits: object[], amount: number, most: number, said: string]>([
  ['calls', [{ per: '24h', calls: 3 }], 1, 3, '3 calls were made in 24h; refunds allows 3.'],
  [
    'sums',
    [{ per: '24h', sum: 'amount', max: '1.00' }],
    0.3,
    3,
    'amount would come to 1.2 in 24h; refunds allows 1.00.',
  ],
])('a limit of %s', (name, limits, amount, most, said) => {
  const agent = `by-${name}`

  test('holds', async () => {
    await apply(policy(agent, { tools: [reading, { ...refunds, where: where('200.00'), limits }] }))
    await start(agent, [read, refund(amount)])
    expect((await limitedIn(agent, 1)).allowed).toBe(most)
    expect(await waitLine(ns, agent, /^refused billing\/refund /)).toContain(said)
  })

  test('holds in a new pod, which has it from the ledger', async () => {
    await replacePod(agent)
    const { allowed, pods } = await limitedIn(agent, 2)
    expect({ allowed, pods: pods.size }).toEqual({ allowed: most, pods: 2 })
    // The new one works; it is the limit that denies.
    await waitLine(ns, agent, /^done billing\/get_invoice/)
  })

  test('holds after kill -9 of the sidecar', async () => {
    await killSidecar(agent)
    const { allowed, starts } = await limitedIn(agent, 3)
    expect({ allowed, starts }).toEqual({ allowed: most, starts: 3 })
  })

  test('held for the server as well: it was given no more than that', async () => {
    const given = (await journalOf(ns)).filter((entry) => entry.tool === 'refund' && entry.arguments.amount === amount)
    expect(given).toHaveLength(most)
  })
})

describe('a breaker', () => {
  const agent = 'nervous'
  const breaking = (max: string) =>
    policy(agent, { tools: [reading, { ...refunds, where: where(max) }], breaker: { denials: 3 } })
  const frozenDenials = async () =>
    intentsIn(await receiptsOf(ns, agent)).filter(({ body }) => body.decision.code === 'AgentFrozen')

  test('opens after calls in a row were denied, and within ten seconds kubectl shows it', async () => {
    await apply(breaking('0.10'))
    await start(agent, [refund(0.5)])
    const [first] = await eventually(
      async () => {
        const found = await frozenDenials()
        return found.length > 0 ? found : undefined
      },
      { timeoutMs: 30_000, what: 'a call denied because the agent is frozen' },
    )
    const freeze = (await receiptsOf(ns, agent)).find(({ body }) => body.kind === 'escalation')
    const live = await waitCondition(ns, agent, { type: 'Frozen', status: 'True', reason: 'BreakerOpen' }, 20_000)
    const { lastTransitionTime = '', message } = conditionOf(live, 'Frozen') ?? {}
    expect(Date.parse(lastTransitionTime) - Date.parse(freeze?.envelope.time ?? '')).toBeLessThan(10_000)
    expect(message).toContain(`kubectl remit unfreeze ${agent} -n ${ns}`)
    expect(live.status).toMatchObject({
      phase: 'Frozen',
      frozen: { at: freeze?.envelope.time, policy: `${ns}/${agent}` },
    })
    expect(conditionOf(live, 'Ready')).toMatchObject({ status: 'False', reason: 'AgentFrozen' })

    const [head = '', row = ''] = (await ok(['get', 'agents', agent, '-n', ns])).trimEnd().split('\n')
    expect(Math.max(head.length, row.length)).toBeLessThanOrEqual(80)
    expect(row).toMatch(/^nervous +False/)
    const told = (await list(client, events, { namespace: ns })).items.filter(({ reason }) => reason === 'BreakerOpen')
    expect(told).toEqual([expect.objectContaining({ type: 'Warning', note: message })])

    expect(await ok(['remit', 'timeline', agent, '-n', ns])).toMatch(/frozen by .*: .*3/)
    const why = await ok(['remit', 'why', receiptName(first!.envelope), '-n', ns])
    expect(why).toContain(`breaker in ${ns}/${agent}`)
    expect(why).toContain(`kubectl remit unfreeze ${agent} -n ${ns}`)
    expect(await ok(['remit', 'why', receiptName(freeze!.envelope), '-n', ns])).toContain('the agent was frozen')
    const doctor = await ok(['remit', 'doctor'])
    expect(doctor).toMatch(new RegExp(`WARN +agents: ${ns}/${agent} is frozen`))
    expect(await ok(['get', 'receipts', '-n', ns, '--field-selector', 'body.kind=escalation'])).toMatch(
      /nervous +frozen/,
    )
  })

  test('stays open in a new pod and after kill -9 of the sidecar', async () => {
    const starts = async () => new Set((await frozenDenials()).map(({ envelope }) => envelope.incarnation)).size
    await ok(['delete', 'pod', `agent-${agent}`, '-n', ns])
    await eventually(async () => (await starts()) >= 2, {
      timeoutMs: 90_000,
      everyMs: 500,
      what: 'frozen in a new pod',
    })
    await killSidecar(agent)
    await eventually(async () => (await starts()) >= 3, {
      timeoutMs: 90_000,
      everyMs: 500,
      what: 'frozen after a kill',
    })
    const calls = intentsIn(await receiptsOf(ns, agent))
    expect(calls.filter(({ body }) => body.decision.effect === 'Allow')).toEqual([])
  })

  test('a person who mended the cause lifts it, in their own name, and the agent goes on', async () => {
    await apply(breaking('1.00'))
    const frozen = (await agentNow(ns, agent)).status?.frozen
    const out = await ok(['remit', 'unfreeze', agent, '-n', ns])
    expect(out).toMatch(new RegExp(`^${agent} was frozen at .* by the breaker of ${ns}/${agent}: `))
    expect(out).toMatch(/(ana|bo) of billing is on call\./)
    const { spec } = await agentNow(ns, agent)
    expect(Date.parse(spec.unfrozenAt ?? '')).toBeGreaterThanOrEqual(Date.parse(frozen?.at ?? ''))
    expect(spec.unfrozenBy?.username).not.toBe('')
    await waitLine(ns, agent, /^done billing\/refund/)
    const live = await waitCondition(ns, agent, { type: 'Frozen', status: 'False' })
    expect(conditionOf(live, 'Frozen')?.message).toContain(`was lifted by ${spec.unfrozenBy?.username}`)
    await waitReady(ns, agent)
    const told = (await list(client, events, { namespace: ns })).items.map(({ reason }) => reason)
    expect(told).toContain('Unfrozen')
  })

  test('nothing is lifted in advance, for nobody else, and not of an agent that is not there', async () => {
    const again = await kubectl(['remit', 'unfreeze', agent, '-n', ns])
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('is not frozen') })
    const missing = await kubectl(['remit', 'unfreeze', 'nobody', '-n', ns])
    expect(missing).toMatchObject({ code: 3, err: expect.stringContaining('nobody') })
    const patch = (spec: object) =>
      kubectl(['patch', 'agent', agent, '-n', ns, '--type=merge', '-p', JSON.stringify({ spec })])
    const ahead = await patch({ unfrozenAt: new Date(Date.now() + 120_000).toISOString() })
    expect(ahead.err).toContain('spec.unfrozenAt: a freeze is lifted after it happened')
    const before = (await agentNow(ns, agent)).spec.unfrozenBy
    await patch({ unfrozenBy: { username: 'somebody-else', at: '2026-01-01T00:00:00Z' } })
    expect((await agentNow(ns, agent)).spec.unfrozenBy).toEqual(before)
  })
})
