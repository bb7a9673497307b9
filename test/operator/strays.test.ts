import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Remit } from '../../lib/api/remit.ts'
import type { Client } from '../../lib/kube/client.ts'
import { create, find, mergePatch } from '../../lib/kube/objects.ts'
import { networkPolicies, resource, serviceAccounts } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { kinds } from '../../operator/caches.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { agent, company, findPod, make, podMade, readRemit, startCluster, startOperator } from './harness.ts'

const VAP = 'ValidatingAdmissionPolicy'
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

test('an address nobody can dial does not keep authority from ending', async () => {
  const { client } = cluster
  const namespace = 'undialled'
  await company(client, namespace)
  await make(client, 'agents', agent(namespace))
  await podMade(client, namespace)
  const change = (spec: object) => mergePatch(client, kinds.agents, { namespace, name: 'billing-bot' }, { spec })
  await change({ servers: [{ name: 'billing', url: 'http://192.0.2.1:99999/mcp' }] })
  await change({ suspended: true })
  await eventually(
    async () => ((await readRemit(client, namespace))?.spec.remit as unknown as Remit | undefined)?.suspended === true,
    { timeoutMs: 5_000, what: 'the remit to say that the agent is suspended' },
  )
}, 40_000)

test('a fence that the cluster does not take keeps authority from nothing but a pod', async () => {
  const { client } = cluster
  const namespace = 'unfenced'
  await company(client, namespace)
  await make(client, 'agents', agent(namespace))
  const pod = await podMade(client, namespace)
  const metadata = { name: 'no-fences' }
  const group = 'admissionregistration.k8s.io'
  await create(client, resource(`${group}/v1`, VAP, 'validatingadmissionpolicies', 'Cluster'), {
    metadata,
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [
          {
            apiGroups: ['networking.k8s.io'],
            apiVersions: ['v1'],
            resources: ['networkpolicies'],
            operations: ['UPDATE'],
          },
        ],
      },
      validations: [{ expression: 'false' }],
    },
  } as KubeObject)
  await create(client, resource(`${group}/v1`, `${VAP}Binding`, 'validatingadmissionpolicybindings', 'Cluster'), {
    metadata,
    spec: { policyName: metadata.name, validationActions: ['Deny'] },
  } as KubeObject)
  const fence = { namespace, name: pod.metadata.name }
  await eventually(
    () =>
      mergePatch(client, networkPolicies, fence, { metadata: { labels: { x: 'y' } } }).then(
        () => false,
        () => true,
      ),
    { timeoutMs: 10_000 },
  )
  await mergePatch(client, kinds.agents, { namespace, name: 'billing-bot' }, { spec: { suspended: true } })
  await eventually(
    async () => ((await readRemit(client, namespace))?.spec.remit as unknown as Remit | undefined)?.suspended === true,
    { timeoutMs: 5_000 },
  )
  await eventually(async () => (await findPod(client, namespace)) === undefined, { timeoutMs: 5_000 })
}, 40_000)
