import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Remit } from '../../lib/api/remit.ts'
import { remove } from '../../lib/kube/objects.ts'
import { agentRemits } from '../../lib/kube/resources.ts'
import { eventually } from '../harness/eventually.ts'
import { type Agent, startWorld, type World } from '../ledger/world.ts'
import { type Bundle, buildBundle } from './bundle.ts'

const policy = (name: string, where: string) =>
  `apiVersion: remit.dev/v1alpha1\nkind: AgentPolicy\nmetadata: {name: ${name}}\nspec:\n  tools:\n  - {name: refunds, match: {tools: [refund]}, effect: Allow${where}}\n`
const LIMIT = ', limits: [{sum: amount, max: "100", per: 24h}], otherwise: Ask'
const IN_FORCE: Partial<Remit> = {
  rules: [
    {
      policy: 'payments/billing',
      mode: 'Enforce',
      type: 'tool',
      name: 'all',
      match: { tools: ['*'] },
      effect: 'Allow',
    },
    { policy: 'cluster/floor', mode: 'Enforce', type: 'invariant', name: 'never-pay', match: { tools: ['pay'] } },
  ],
  sources: [
    { kind: 'AgentPolicy', namespace: 'payments', name: 'billing', uid: 'u1', digest: '' },
    { kind: 'ClusterAgentPolicy', name: 'floor', uid: 'u2', digest: '' },
  ],
}

let world: World
let bundle: Bundle
let agent: Agent
let env: Record<string, string>
const replay = (...args: string[]) =>
  bundle.remit(['policy', 'replay', '--agent', 'billing-bot', '-n', 'payments', ...args], env)

beforeAll(async () => {
  ;[world, bundle] = await Promise.all([startWorld(), buildBundle()])
  await world.ledger.start()
  agent = await world.agent('payments', 'billing-bot')
  await world.putRemit(agent, 1, IN_FORCE)
  const chain = agent.start()
  const post = (receipts: Parameters<World['client']['post']>[1]) => world.client.post(agent.token, receipts)
  await eventually(async () => (await post([chain.first])).status === 200, { what: 'remit known' })
  const ago = (hours: number) => Date.now() - hours * 3_600_000
  const refund = (amount: number, hours: number) =>
    chain.intent('refund', 'Allow', { at: ago(hours), call: { arguments: { amount } } })
  const before = refund(60, 10)
  const receipts = [
    before,
    chain.result(before, 'ok', ago(10)),
    refund(50, 2),
    refund(30, 1),
    chain.intent('pay', 'Deny', { at: ago(1) }),
    chain.intent('refund', 'Allow', { at: ago(1), call: { arguments: undefined } }),
  ]
  expect((await post(receipts)).status).toBe(200)
  const kubeconfig = bundle.write('kubeconfig', await world.apiserver.kubeconfig())
  env = { KUBECONFIG: kubeconfig }
  bundle.write('billing.yaml', policy('billing', LIMIT))
  bundle.write('stranger.yaml', policy('stranger', LIMIT))
  await eventually(async () => (await bundle.remit(['timeline', 'billing-bot', '-n', 'payments'], env)).code === 0, {
    timeoutMs: 30_000,
    what: 'APIService available',
  })
}, 120_000)
afterAll(async () => {
  bundle?.close()
  await world?.stop()
})

describe('policy replay --agent A --since 3h --policy new.yaml', () => {
  test('in the place of the policy of its name, beside those of the cluster, with the past before --since', async () => {
    const { code, stdout, stderr } = await replay('--since', '3h', '--policy', 'billing.yaml', '-o', 'json')
    expect([code, stderr]).toEqual([0, ''])
    const told = JSON.parse(stdout)
    expect(told).toMatchObject({ calls: 4, replayed: 3 })
    expect(Object.values(told.cannotBeReplayed)).toEqual([1])
    // 60 were spent before, and 50 and 30 then: neither fits into 100 any more.
    expect(
      told.changed.map(({ now }: { now: { effect: string; policy: string } }) => [now.effect, now.policy]),
    ).toEqual([
      ['Ask', 'payments/billing'],
      ['Ask', 'payments/billing'],
    ])
    expect(told.tools[0]).toMatchObject({ tool: 'pay', now: { Deny: 1 }, changes: [] })
  })

  test('alone, the floor of the cluster is not there', async () => {
    const { stdout } = await replay('--since', '3h', '--policy', 'billing.yaml', '--alone', '-o', 'diff', '--exit-code')
    expect(stdout).not.toContain('never-pay')
    expect(stdout).toContain('+Ask by refunds in payments/billing')
  })

  test('a policy the agent does not have is replayed beside its own, and this is said', async () => {
    const { code, stdout, stderr } = await replay('--since', '3h', '--policy', 'stranger.yaml', '--exit-code')
    expect(stderr).toContain('payments/stranger is not a policy of billing-bot now (payments/billing, cluster/floor)')
    expect(stdout).toContain('2 decided otherwise')
    expect(code).toBe(1)
  })

  test('nothing in that time', async () => {
    expect(await replay('--since', '1s', '--policy', 'billing.yaml')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('Nothing of billing-bot was recorded since '),
    })
  })

  test('an agent whose remit is gone: only the given policies, and this is said', async () => {
    await remove(world.apiserver.client, agentRemits, { namespace: 'payments', name: 'billing-bot' })
    const { stderr, stdout } = await replay('--since', '3h', '--policy', 'billing.yaml')
    expect(stderr).toContain('the remit of billing-bot cannot be read')
    expect(stdout).toContain('3 replayed against billing.yaml')
  })
})
