import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Remit } from '../../lib/api/remit.ts'
import type { Client } from '../../lib/kube/client.ts'
import { create, find, mergePatch } from '../../lib/kube/objects.ts'
import { networkPolicies, serviceAccounts } from '../../lib/kube/resources.ts'
import { kinds } from '../../operator/caches.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { agent, company, make, podMade, readRemit, startCluster, startOperator } from './harness.ts'

const NS = 'strays'
let cluster: Apiserver & { operatorClient: Client }
let operator: ReturnType<typeof startOperator>

beforeAll(async () => {
  cluster = await startCluster()
  operator = startOperator(cluster.operatorClient)
}, 60_000)
afterAll(async () => {
  await operator?.stop()
  await cluster?.stop()
})

// A namespace's `edit` may label what it makes as it likes, and give it a finalizer that nobody ever releases.
test.each([
  ['a NetworkPolicy', networkPolicies, { spec: { podSelector: {} } }],
  ['a ServiceAccount', serviceAccounts, {}],
] as const)(
  "%s of somebody's own with an agent's label neither is touched nor keeps authority from ending",
  async (what, kind, rest) => {
    const { client } = cluster
    const namespace = `${NS}-${what.endsWith('Policy') ? 'policy' : 'account'}`
    await company(client, namespace)
    await make(client, 'agents', agent(namespace))
    await podMade(client, namespace)
    const target = { namespace, name: 'mine' }
    await create(client, kind as typeof serviceAccounts, {
      metadata: { ...target, labels: { 'remit.dev/agent': 'billing-bot' }, finalizers: ['example.org/never'] },
      ...rest,
    })
    // Only what comes after it shows whether it is in the way.
    await eventually(() => find(client, kind as typeof serviceAccounts, target))
    await mergePatch(client, kinds.agents, { namespace, name: 'billing-bot' }, { spec: { suspended: true } })
    await eventually(
      async () =>
        ((await readRemit(client, namespace))?.spec.remit as unknown as Remit | undefined)?.suspended === true,
      { timeoutMs: 5_000, what: 'the remit to say that the agent is suspended' },
    )
    const mine = await find(client, kind as typeof serviceAccounts, target)
    expect(mine?.metadata.deletionTimestamp).toBeUndefined()
    await mergePatch(client, kind as typeof serviceAccounts, target, { metadata: { finalizers: [] } })
  },
  40_000,
)
