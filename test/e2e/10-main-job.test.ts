import { afterAll, beforeAll, expect, test } from 'vitest'
import type { IntentBody } from '../../lib/api/receipt.ts'
import { eventually } from '../harness/eventually.ts'
import { agentNow, logOf, podOf, waitLine, waitReady } from './support/agents.ts'
import { refundedOf } from './support/billing.ts'
import { agentOf, applyPayments, companyAgent } from './support/company.ts'
import { apply, ok } from './support/kubectl.ts'
import { chainFaults, intentsIn, receiptName, receiptsOf, resultsIn } from './support/receipts.ts'
import { dropNamespaces, makeNamespace } from './support/world.ts'

let ns: string

beforeAll(async () => {
  ns = await makeNamespace('main')
  await applyPayments(ns)
  // An agent that is quicker than its server would have calls of another kind to tell of.
  await ok(['rollout', 'status', '-n', ns, 'deploy/billing-mcp', '--timeout=60s'])
  await apply(companyAgent('billing-bot', ns))
  await waitReady(ns, 'billing-bot', 120_000)
}, 180_000)
afterAll(() => dropNamespaces(ns))

/** Waits until the record tells what came of the agent's call of that tool and amount. */
const recorded = (tool: string, where: (call: Record<string, unknown>) => boolean = () => true) =>
  eventually(
    async () => {
      const receipts = await receiptsOf(ns, 'billing-bot')
      const intent = intentsIn(receipts).find(
        ({ body: { call } }) => call.type === 'tool' && call.tool === tool && where(call.arguments as never),
      )
      const result = intent && resultsIn(receipts).find(({ body }) => body.intent === receiptName(intent.envelope))
      return intent && (intent.body.decision.effect !== 'Allow' || result) ? { intent, result } : undefined
    },
    { timeoutMs: 30_000, everyMs: 250, what: `a recorded ${tool}` },
  )

test('an AgentIdentity applied as YAML becomes one pod with its gate, under a signed remit', async () => {
  const agent = await agentNow(ns, 'billing-bot')
  expect(agent.status).toMatchObject({ agentID: agent.metadata.uid, podName: 'agent-billing-bot', policy: 'billing' })
  expect(['ana', 'bo']).toContain(agent.status?.onCall)
  expect(agent.spec.createdBy?.username).toBeTruthy()
  const pod = await podOf(ns, 'billing-bot')
  expect(pod?.spec?.initContainers?.map(({ name }) => name)).toEqual(['remit-sidecar'])
  expect(pod?.spec?.initContainers?.[0]?.image).toMatch(/@sha256:[0-9a-f]{64}$/)
  const remit = JSON.parse(await ok(['get', 'agentremit', 'billing-bot', '-n', ns, '-o', 'json']))
  expect(remit.spec.remit.agent.id).toBe(agent.metadata.uid)
  expect(remit.spec.signature).toMatch(/^[\w-]+\.\.?[\w-]*\.?[\w-]+$/)
})

test('the agent is offered what it may use, and not what an invariant forbids', async () => {
  const line = await waitLine(ns, 'billing-bot', /billing offers:/)
  expect(line).toBe('billing offers: list_invoices, get_invoice, refund')
})

test('an allowed call is made, and recorded with who, why and what came of it', async () => {
  const { intent, result } = await recorded('refund', ({ amount, currency }) => amount === 30 && currency === 'EUR')
  expect(intent.body).toMatchObject({
    agent: { namespace: ns, name: 'billing-bot' },
    owner: { group: 'billing' },
    stated: { task: 'ticket 4711', reason: 'the customer was charged twice' },
    decision: { effect: 'Allow', rule: 'refunds', policy: expect.stringContaining('billing') },
  } satisfies Record<string, unknown> as unknown as IntentBody)
  expect(result?.body).toMatchObject({ outcome: 'ok' })
  expect(await refundedOf(ns, 'INV-1007')).toBeGreaterThanOrEqual(30)
})

test('a call no rule allows is denied with a sentence the model can act on', async () => {
  const line = await waitLine(ns, 'billing-bot', /refused .*USD/)
  const { intent } = await recorded('refund', ({ currency }) => currency === 'USD')
  expect(intent.body.decision.effect).toBe('Deny')
  expect(line).toContain(intent.body.decision.reason)
  expect(line).toMatch(/EUR/)
  expect(await refundedOf(ns, 'INV-1008')).toBe(0)
})

test('an invariant of the company wins over the rule of the team that allows it', async () => {
  const line = await waitLine(ns, 'billing-bot', /refused .*12000/)
  const { intent } = await recorded('refund', ({ amount }) => amount === 12_000)
  expect(intent.body.decision).toMatchObject({
    effect: 'Deny',
    code: 'DeniedByInvariant',
    rule: 'refunds-below-5000',
    policy: expect.stringContaining('company-floor'),
  })
  expect(line).toContain(receiptName(intent.envelope).slice(0, 12))
  expect(await refundedOf(ns, 'INV-1009')).toBe(0)
})

test('a tool that is hidden cannot be called either', async () => {
  const steps = [{ server: 'billing', tool: 'delete_invoice', arguments: { invoice_id: 'INV-1010' } }]
  await apply(agentOf({ name: 'eraser', namespace: ns, steps, everyMs: 0 }))
  const { intent } = await eventually(
    async () => {
      const [intent] = intentsIn(await receiptsOf(ns, 'eraser'))
      return intent && { intent }
    },
    { timeoutMs: 60_000, everyMs: 250, what: 'the record of the deletion that was tried' },
  )
  expect(intent.body.decision).toMatchObject({ effect: 'Deny', rule: 'never-delete' })
  expect(await refundedOf(ns, 'INV-1010')).toBe(0)
})

test('the record is one chain without a gap, and what the agent was told names its receipts', async () => {
  const receipts = await receiptsOf(ns, 'billing-bot')
  expect(chainFaults(receipts)).toEqual([])
  const told = [...(await logOf(ns, 'billing-bot')).matchAll(/\(receipt (\S+)\)/g)].map(([, name]) => name)
  expect(told.length).toBeGreaterThan(0)
  const after = new Set((await receiptsOf(ns, 'billing-bot')).map(({ envelope }) => receiptName(envelope)))
  expect(told.filter((name) => !after.has(name!))).toEqual([])
})

test('kubectl get receipts is a table that fits a terminal', async () => {
  const lines = (await ok(['get', 'receipts', '-n', ns, '-l', 'remit.dev/agent=billing-bot'])).trimEnd().split('\n')
  expect(lines[0]).toMatch(/^NAME +AGENT +ACTION +OUTCOME +RULE +AGE/)
  expect(lines.filter((line) => line.length > 80)).toEqual([])
  expect(lines.some((line) => /billing-bot +refund +denied +refunds-below-5000/.test(line))).toBe(true)
})

test('kubectl remit timeline and why tell the story of the refund of 12,000', async () => {
  const timeline = await ok(['remit', 'timeline', 'billing-bot', '-n', ns, '--since', '10m'])
  const row = timeline.split('\n').find((line) => /12000/.test(line))
  expect(row).toMatch(/Deny +not made +refunds-below-5000/)
  const { intent } = await recorded('refund', ({ amount }) => amount === 12_000)
  const why = await ok(['remit', 'why', receiptName(intent.envelope), '-n', ns])
  expect(why.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
  for (const part of ['billing-bot', 'billing', '12000', 'refunds-below-5000', 'company-floor', 'ticket 4713'])
    expect(why).toContain(part)
  expect(why).toContain('the body is the one the sidecar signed for')
})

test('kubectl remit oncall says whom to ask, and doctor finds nothing wrong with the installation', async () => {
  const { status } = await agentNow(ns, 'billing-bot')
  expect(await ok(['remit', 'oncall', 'billing', '-n', ns])).toMatch(
    new RegExp(`^${status?.onCall} .*by rotation until`),
  )
  const lines = (await ok(['remit', 'doctor'])).trim().split('\n')
  for (const about of ['kinds', 'parts', 'ledger', 'admission'])
    expect(lines.filter((line) => line.includes(` ${about}: `) && !line.startsWith('ok'))).toEqual([])
  expect(lines.filter((line) => /^ok +admission: policy/.test(line)).length).toBeGreaterThan(10)
})

test('what it did reaches its status within a bit more than a minute, and kubectl get agents fits 80 columns', async () => {
  const agent = await eventually(
    async () => {
      const { status } = await agentNow(ns, 'billing-bot')
      return (status?.calls ?? 0) > 0 && (status?.denied ?? 0) > 0 ? status : undefined
    },
    { timeoutMs: 75_000, everyMs: 1_000, what: 'counters in the status' },
  )
  expect(agent?.denied).toBeLessThan(agent?.calls ?? 0)
  const [head, row = ''] = (await ok(['get', 'agents', 'billing-bot', '-n', ns])).trimEnd().split('\n')
  expect(head).toMatch(/^NAME +READY +OWNER +ON CALL +POLICY +CALLS +DENIED +LAST +AGE/)
  expect(head!.length).toBeLessThanOrEqual(80)
  expect(row.length).toBeLessThanOrEqual(80)
  expect(row).toMatch(/^billing-bot +True +billing +(ana|bo) +billing +\d+ +\d+ +\d+\w+ +\d+\w+$/)
}, 90_000)
