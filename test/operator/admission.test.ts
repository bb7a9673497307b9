import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AgentIdentity } from '../../lib/api/gen/types.ts'
import { injectSidecar } from '../../lib/core/pod/inject.ts'
import type { Client } from '../../lib/kube/client.ts'
import { create, mergePatch, remove } from '../../lib/kube/objects.ts'
import { networkPolicies } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { kinds } from '../../operator/caches.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { createOf, renderChart } from '../webhook/chart.ts'
import { settings } from '../webhook/fixtures.ts'
import {
  agent,
  bind,
  company,
  findAgent,
  findFence,
  findPod,
  finish,
  kubelet,
  podMade,
  readAgent,
  readRemit,
  ready,
  running,
  startCluster,
  startOperator,
} from './harness.ts'

let cluster: Apiserver & { operatorClient: Client }
let ana: Client
let operator: ReturnType<typeof startOperator>

/** The webhook's part, without the webhook: the sidecar is in the pod by the time the policies look at it. */
const withSidecar = (client: Client): Client => ({
  ...client,
  request: async (method, path, options = {}) => {
    const pods = /^\/api\/v1\/namespaces\/([^/]+)\/pods$/.exec(path)
    if (method !== 'POST' || !pods) return client.request(method, path, options)
    const identity = (await readAgent(cluster.client, pods[1]!)) as AgentIdentity
    return client.request(method, path, {
      ...options,
      body: injectSidecar(options.body as { spec: object }, identity, settings),
    })
  },
})

beforeAll(async () => {
  cluster = await startCluster()
  const { client } = cluster
  ana = await cluster.clientAs({ name: 'ana', groups: ['system:masters'] })
  await company(client, 'held')
  const chart = await renderChart()
  await createOf(client, chart, ['ConfigMap', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'])
  // They take about a second to bite.
  const opens = { metadata: { name: 'agent-probe', namespace: 'held' }, spec: { podSelector: {} } }
  await eventually(
    () =>
      create(ana, networkPolicies, opens as never, { query: { dryRun: 'All' } }).then(
        () => false,
        () => true,
      ),
    { timeoutMs: 15_000 },
  )
  operator = startOperator(withSidecar(cluster.operatorClient))
}, 90_000)
afterAll(async () => {
  await operator?.stop()
  await cluster?.stop()
})

test("the chart's admission policies let the operator do all of its work, and nobody else undo it", async () => {
  const { client } = cluster
  const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const createdBy = { username: 'ana', groups: ['system:masters', 'system:authenticated'], at }
  await create(ana, kinds.agents as never, agent('held', { createdBy }) as KubeObject)
  const pod = await podMade(client, 'held')
  expect(pod.spec?.initContainers?.[0]?.name).toBe('remit-sidecar')
  await bind(client, pod)
  await kubelet(client, pod, running)
  await ready(client, 'held', 'Running')

  const fence = { namespace: 'held', name: 'agent-billing-bot' }
  await expect(remove(ana, networkPolicies, fence)).rejects.toThrow('remit-agent-objects')
  await expect(
    mergePatch(ana, kinds.remits, { namespace: 'held', name: 'billing-bot' }, { spec: { signature: 'x' } }),
  ).rejects.toThrow('remit-remits')

  const generation = (await readRemit(client, 'held'))?.spec.remit.generation as number
  await mergePatch(ana, kinds.policies, { namespace: 'held', name: 'billing' }, { spec: { tools: [] } })
  await eventually(async () => (await readRemit(client, 'held'))?.spec.remit.generation === generation + 1)

  await remove(ana, kinds.agents, { namespace: 'held', name: 'billing-bot' })
  await eventually(async () => (await findPod(client, 'held'))?.metadata.deletionTimestamp !== undefined)
  await finish(client, pod)
  await eventually(async () => (await findAgent(client, 'held')) === undefined)
  expect(await findFence(client, 'held')).toBeUndefined()
  expect(await readRemit(client, 'held')).toBeUndefined()
})
