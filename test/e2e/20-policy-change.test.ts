import { load } from 'js-yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AgentPolicy } from '../../lib/api/gen/types.ts'
import { eventually } from '../harness/eventually.ts'
import { podOf, waitCondition, waitLine, waitReady } from './support/agents.ts'
import { journalOf, traceIdOf } from './support/billing.ts'
import { agentOf, applyPayments, companyAgent, type Loose, teamWithoutAgents } from './support/company.ts'
import { apply, ok } from './support/kubectl.ts'
import { intentsIn, receiptName, receiptsOf, remitsIn } from './support/receipts.ts'
import { dropNamespaces, makeNamespace } from './support/world.ts'

let payments: string
let support: string

beforeAll(async () => {
  payments = await makeNamespace('change')
  support = await makeNamespace('observe')
  await applyPayments(payments)
  await apply(...teamWithoutAgents('support', support))
  const refund = {
    server: 'billing',
    tool: 'refund',
    arguments: { invoice_id: 'INV-1007', amount: 0.3, currency: 'EUR' },
  }
  await apply(agentOf({ name: 'refunder', namespace: payments, steps: [refund], everyMs: 50 }))
  await apply(companyAgent('desk-bot', support))
  await waitReady(payments, 'refunder')
  await waitReady(support, 'desk-bot')
}, 180_000)
afterAll(() => dropNamespaces(payments, support))

const policyWith = (max: string, otherwise?: 'Ask'): Loose => {
  const policy = structuredClone(
    teamWithoutAgents('payments', payments).find(({ kind }) => kind === 'AgentPolicy'),
  ) as unknown as AgentPolicy
  const rule = policy.spec.tools!.find(({ name }) => name === 'refunds')!
  rule.where![0]!.max = max
  if (otherwise) rule.otherwise = otherwise
  return policy as unknown as Loose
}

test('kubectl apply of a policy is enforced in the running sidecar within a second, and restarts nothing', async () => {
  await waitLine(payments, 'refunder', /done billing\/refund/)
  const before = await podOf(payments, 'refunder')
  const late: number[] = []
  for (const [max, otherwise, effect] of [
    ['0.20', undefined, 'Deny'],
    ['0.50', undefined, 'Allow'],
    ['0.10', 'Ask', 'Ask'],
  ] as const) {
    const known = remitsIn(await receiptsOf(payments, 'refunder')).length
    await apply(policyWith(max, otherwise))
    const applied = Date.now()
    const remit = await eventually(async () => remitsIn(await receiptsOf(payments, 'refunder'))[known], {
      timeoutMs: 15_000,
      everyMs: 100,
      what: 'the new remit in the record',
    })
    late.push(Date.parse(remit.envelope.time) - applied)
    // Every call recorded after it was decided by it.
    const decided = await eventually(
      async () =>
        intentsIn(await receiptsOf(payments, 'refunder'))
          .filter(({ envelope }) => envelope.seq > remit.envelope.seq)
          .at(0),
      { timeoutMs: 5_000, everyMs: 100, what: 'a call under the new remit' },
    )
    expect(decided.body.remit.digest).toBe(remit.body.digest)
    expect(decided.body.decision.effect).toBe(effect)
  }
  // The clock of the sidecar's node, against ours when kubectl had ended.
  expect(Math.max(...late)).toBeLessThan(1_000)
  const after = await podOf(payments, 'refunder')
  expect(after?.metadata.uid).toBe(before?.metadata.uid)
  expect(after?.status?.containerStatuses?.[0]?.restartCount).toBe(0)
})

test('what waits for a person says for whom', async () => {
  expect(await waitLine(payments, 'refunder', /waiting for/)).toMatch(/^refused .*This call is waiting for (ana|bo)/)
})

test('what a policy no longer allows does not reach the server any more', async () => {
  const receipts = await receiptsOf(payments, 'refunder')
  const remit = remitsIn(receipts).at(-1)!
  const denied = intentsIn(receipts).filter(({ body }) => body.remit.digest === remit.body.digest)
  expect(denied.length).toBeGreaterThan(0)
  const traces = new Set(denied.map(({ body }) => body.trace?.traceId))
  const journal = await journalOf(payments)
  expect(journal.length).toBeGreaterThan(0)
  expect(journal.filter((entry) => traces.has(traceIdOf(entry)))).toEqual([])
})

test('what it stands on taken away, a running agent has no authority; given back, it goes on in the same pod', async () => {
  const before = await podOf(payments, 'refunder')
  const lastEffect = async () => intentsIn(await receiptsOf(payments, 'refunder')).at(-1)?.body.decision.effect
  const team = teamWithoutAgents('payments', payments)
  for (const [kind, reason] of [
    ['AgentPolicy', 'PolicyMissing'],
    ['OwnerGroup', 'OwnerGroupMissing'],
  ] as const) {
    const object = kind === 'AgentPolicy' ? policyWith('0.50') : team.find((each) => each.kind === kind)!
    await apply(object)
    await eventually(async () => (await lastEffect()) === 'Allow', { what: `calls allowed with ${kind}` })
    await ok(['delete', kind.toLowerCase(), object.metadata.name, '-n', payments])
    await waitCondition(payments, 'refunder', { status: 'False', reason })
    await eventually(async () => (await lastEffect()) === 'Deny', { what: `calls denied without ${kind}` })
    await apply(object)
    await waitReady(payments, 'refunder')
    await eventually(async () => (await lastEffect()) === 'Allow', { what: `calls allowed with ${kind} again` })
  }
  expect((await podOf(payments, 'refunder'))?.metadata.uid).toBe(before?.metadata.uid)
})

test('an observed agent acts, and its record says what a policy would have done', async () => {
  await waitLine(support, 'desk-bot', /done everything\/get-sum/)
  const intents = await eventually(async () => {
    const found = intentsIn(await receiptsOf(support, 'desk-bot'))
    return found.length >= 2 ? found : undefined
  })
  const sum = intents.find(({ body }) => body.call.type === 'tool' && body.call.tool === 'get-sum')
  expect(sum?.body.decision).toMatchObject({ effect: 'Allow', observed: { effect: 'Deny' } })
})

test('the policy suggested from what it did allows exactly that when it is enforced', async () => {
  const text = await ok(['remit', 'policy', 'suggest', '--agent', 'desk-bot', '--name', 'helpdesk', '-n', support])
  const suggested = load(text) as AgentPolicy
  expect(suggested.metadata).toEqual({ name: 'helpdesk', namespace: support })
  expect(suggested.spec.mode).toBe('Enforce')
  const known = remitsIn(await receiptsOf(support, 'desk-bot')).length
  await ok(['apply', '-f', '-'], { input: text })
  await eventually(async () => remitsIn(await receiptsOf(support, 'desk-bot'))[known], { what: 'the new remit' })
  const remit = remitsIn(await receiptsOf(support, 'desk-bot')).at(-1)!
  const decided = await eventually(
    async () => {
      const under = intentsIn(await receiptsOf(support, 'desk-bot')).filter(
        ({ body }) => body.remit.digest === remit.body.digest,
      )
      return under.length >= 2 ? under : undefined
    },
    { timeoutMs: 20_000, everyMs: 250, what: 'calls under the suggested policy' },
  )
  expect(decided.map(({ body }) => [body.decision.effect, body.decision.observed])).toEqual(
    decided.map(() => ['Allow', undefined]),
  )
  expect(decided.every(({ body }) => body.decision.rule)).toBe(true)
  // What it never did is not allowed.
  const { spec } = companyAgent('desk-bot', support)
  const steps = [{ server: 'everything', tool: 'get-env', arguments: {} }]
  const agent = agentOf({ name: 'newcomer', namespace: support, steps, everyMs: 0, spec: { ...spec } })
  await apply(agent)
  const line = await waitLine(support, 'newcomer', /everything\/get-env/, 60_000)
  expect(line).toMatch(/^refused/)
  const receipt = intentsIn(await receiptsOf(support, 'newcomer')).at(0)
  expect(receipt && line.includes(receiptName(receipt.envelope))).toBe(true)
})
