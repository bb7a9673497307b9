import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../../lib/kube/client.ts'
import { create, find, get, list, mergePatch } from '../../lib/kube/objects.ts'
import {
  agentIdentities,
  agentRemits,
  configMaps,
  deployments,
  networkPolicies,
  pods,
  resource,
  secrets,
  serviceAccounts,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { uninstall } from '../../webhook/uninstall.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { createNamespace, serviceAccountToken } from '../harness/world.ts'
import { createOf, renderChart, SYSTEM_NAMESPACE } from './chart.ts'
import { agentIdentity, POD } from './fixtures.ts'

// As the chart's pre-delete hook runs it: with the hook's rights and no others, under the chart's admission policies.
const NS = 'payments'
let api: Apiserver
let admin: Client
let hook: Client
const said: string[] = []

beforeAll(async () => {
  api = await startApiserver({ crds: true })
  admin = api.client
  for (const namespace of [SYSTEM_NAMESPACE, NS]) await createNamespace(admin, namespace)
  await create(admin, serviceAccounts, { metadata: { name: 'remit-operator', namespace: SYSTEM_NAMESPACE } })
  const stamp = { username: 'admin', groups: ['system:masters', 'system:authenticated'], at: new Date().toISOString() }
  const agent = agentIdentity(NS, stamp) as KubeObject
  agent.metadata.finalizers = ['remit.dev/agent', 'example.com/other']
  await create(admin, agentIdentities, agent)
  const labels = { 'remit.dev/agent': 'billing-bot' }
  const metadata = { name: POD, namespace: NS, labels }
  await create(admin, serviceAccounts, { metadata })
  await create(admin, pods, { metadata, spec: { containers: [{ name: 'agent', image: 'x' }] } } as never)
  await create(admin, networkPolicies, {
    metadata: { ...metadata, finalizers: ['remit.dev/pod-gone'] },
    spec: { podSelector: {} },
  } as never)
  await create(admin, networkPolicies, { metadata: { name: 'web', namespace: NS }, spec: { podSelector: {} } } as never)
  await create(admin, agentRemits, {
    metadata: { name: 'billing-bot', namespace: NS },
    spec: { remit: { generation: 1 }, signature: 'x' },
  } as never)
  for (const name of ['remit-ca', 'remit-signing-key', 'remit-webhook-tls', 'remit-ledger-tls', 'unrelated'])
    await create(admin, secrets, { metadata: { name, namespace: SYSTEM_NAMESPACE } } as never)
  await create(admin, configMaps, { metadata: { name: 'remit-trust', namespace: SYSTEM_NAMESPACE } } as never)
  const chart = await renderChart()
  await create(
    admin,
    deployments,
    chart.find((o) => o.kind === 'Deployment' && o.metadata.name === 'remit-operator') as never,
  )
  await createOf(
    admin,
    chart.filter(({ metadata: { name } }) => name === 'remit-uninstall'),
    ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  )
  await createOf(admin, chart, ['ConfigMap', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'])
  hook = api.clientWithToken(await serviceAccountToken(admin, { namespace: SYSTEM_NAMESPACE, name: 'remit-operator' }))
}, 60_000)
afterAll(() => api?.stop())

test('a pod that does not end keeps its guards, and is named', async () => {
  await mergePatch(admin, pods, { namespace: NS, name: POD }, { metadata: { finalizers: ['example.com/holds'] } })
  const attempt = uninstall(hook, SYSTEM_NAMESPACE, () => {}, { timeoutMs: 300, pollMs: 50 })
  await expect(attempt).rejects.toThrow(`did not end: Pod ${NS}/${POD}`)
  expect(await find(admin, networkPolicies, { namespace: NS, name: POD })).toBeDefined()
  await mergePatch(admin, pods, { namespace: NS, name: POD }, { metadata: { finalizers: null } })
})

test('afterwards no agent runs, nothing of it is stuck, and what the team wrote is there', async () => {
  await uninstall(hook, SYSTEM_NAMESPACE, (line) => said.push(line), { pollMs: 50 })
  const operator = await get(admin, deployments, { namespace: SYSTEM_NAMESPACE, name: 'remit-operator' })
  expect(operator.spec!.replicas).toBe(0)
  for (const kind of [pods, agentRemits]) expect((await list(admin, kind as never)).items).toEqual([])
  expect((await list(admin, networkPolicies)).items.map((o) => o.metadata.name)).toEqual(['web'])
  expect((await list(admin, serviceAccounts, { namespace: NS })).items.map((o) => o.metadata.name)).toEqual(['default'])
  const agent = (await get(admin, agentIdentities, { namespace: NS, name: 'billing-bot' })) as KubeObject & {
    status: { conditions: object[] }
  }
  expect(agent.metadata.finalizers).toEqual(['example.com/other'])
  expect(agent.status.conditions).toMatchObject([{ type: 'Ready', status: 'False', reason: 'Uninstalled' }])
  expect((await list(admin, secrets, { namespace: SYSTEM_NAMESPACE })).items.map((o) => o.metadata.name)).toEqual([
    'unrelated',
  ])
  expect(await find(admin, configMaps, { namespace: SYSTEM_NAMESPACE, name: 'remit-trust' })).toBeUndefined()
  expect(said.join('\n')).toContain(`releasing AgentIdentity ${NS}/billing-bot`)
})

test('doing it again is harmless, also when the operator is gone', async () => {
  await admin.request('DELETE', `/apis/apps/v1/namespaces/${SYSTEM_NAMESPACE}/deployments/remit-operator`)
  await uninstall(hook, SYSTEM_NAMESPACE, () => {}, { pollMs: 50 })
  expect(await find(admin, agentIdentities, { namespace: NS, name: 'billing-bot' })).toBeDefined()
  expect(await find(admin, resource('v1', 'Namespace', 'namespaces', 'Cluster'), { name: NS })).toBeDefined()
})
