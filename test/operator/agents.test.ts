import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Remit } from '../../lib/api/remit.ts'
import type { Client } from '../../lib/kube/client.ts'
import { create, find, get, list, mergePatch, remove } from '../../lib/kube/objects.ts'
import {
  endpointSlices,
  legacyEvents,
  networkPolicies,
  pods,
  resource,
  serviceAccounts,
  services,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { kinds } from '../../operator/caches.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import {
  agent,
  bind,
  company,
  egressOf,
  findAgent,
  findFence,
  findPod,
  finish,
  kubelet,
  make,
  owner,
  podMade,
  policy,
  readAgent,
  readRemit,
  ready,
  running,
  startCluster,
  startOperator,
  terminated,
  waiting,
} from './harness.ts'

let cluster: Apiserver & { operatorClient: Client }
let client: Client
let operator: ReturnType<typeof startOperator>
beforeAll(async () => {
  cluster = await startCluster()
  client = cluster.client
  operator = startOperator(cluster.operatorClient)
}, 60_000)
afterAll(async () => {
  await operator?.stop()
  await cluster?.stop()
})

const name = 'billing-bot'
const at = (namespace: string) => ({ namespace, name })
const ofPod = (namespace: string) => ({ namespace, name: `agent-${name}` })
const remitOf = async (namespace: string) => (await readRemit(client, namespace))?.spec.remit as unknown as Remit
const patchAgent = (namespace: string, spec: object) => mergePatch(client, kinds.agents, at(namespace), { spec })
const conditionOf = async (namespace: string, type: string) =>
  (await readAgent(client, namespace)).status?.conditions?.find((each) => each.type === type)
const run = async (namespace: string, spec: Record<string, unknown> = {}) => {
  await company(client, namespace, { agent: spec })
  const pod = await podMade(client, namespace)
  await bind(client, pod)
  await kubelet(client, pod, running)
  await ready(client, namespace, 'Running')
  return get(client, pods, ofPod(namespace))
}

test('an agent becomes a ServiceAccount, a fence, a signed remit and a pod, and its status says so', async () => {
  const pod = await run('create')
  const { metadata, status } = await readAgent(client, 'create')
  expect(metadata.finalizers).toContain('remit.dev/agent')
  expect(status).toMatchObject({
    agentID: metadata.uid,
    phase: 'Running',
    onCall: 'ana',
    policy: 'billing',
    restarts: 0,
    podName: `agent-${name}`,
  })
  expect(Object.fromEntries(status!.conditions!.map((c) => [c.type, `${c.status} ${c.reason}`]))).toEqual({
    Ready: 'True Running',
    Owned: 'True OnCall',
    PolicyAccepted: 'True Accepted',
    SandboxReady: 'True SandboxRunning',
    Granted: 'Unknown NotRequired',
    EgressEnforced: 'Unknown NotMeasured',
    Frozen: 'False NotFrozen',
  })
  const account = await get(client, serviceAccounts, ofPod('create'))
  expect(account).toMatchObject({ automountServiceAccountToken: false })
  expect(pod.spec).toMatchObject({
    automountServiceAccountToken: false,
    serviceAccountName: `agent-${name}`,
    dnsPolicy: 'None',
    restartPolicy: 'Never',
  })
  const remit = await remitOf('create')
  const { clusterIP } = (await get(client, services, { namespace: 'create', name: 'billing-mcp' })).spec!
  expect(remit.servers).toEqual([
    { name: 'billing', url: `http://${clusterIP}:8080/mcp`, host: 'billing-mcp.create.svc' },
  ])
  expect(remit.agent).toMatchObject({ id: metadata.uid, createdBy: { username: 'ana@corp.example' } })
  expect(status!.remit!.generation).toBe(remit.generation)
})

test('the fence opens to backing pods and the ports they have, by number once they are known', async () => {
  await run('fence')
  const ports = async () =>
    egressOf(await findFence(client, 'fence')).flatMap((rule) => (rule.ports ?? []).map(({ port }) => port))
  expect(await ports()).toEqual(['http', 8443])
  await create(client, endpointSlices, {
    metadata: { name: 'billing-mcp-1', namespace: 'fence', labels: { 'kubernetes.io/service-name': 'billing-mcp' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.0.7'] }],
    ports: [{ name: 'mcp', port: 3000, protocol: 'TCP' }],
  })
  await eventually(async () => (await ports()).includes(3000))
  expect(await ports()).toEqual([3000, 8443])
  const spec = (await findFence(client, 'fence'))?.spec
  expect(spec?.policyTypes).toEqual(['Ingress', 'Egress'])
  expect(spec?.ingress ?? []).toEqual([])
})

test('a policy change is signed within a second, and the pod stays', async () => {
  const pod = await run('change')
  const before = await remitOf('change')
  const started = Date.now()
  const tools = [{ name: 'none', match: { servers: ['billing'], tools: ['*'] }, effect: 'Deny' as const }]
  await mergePatch(
    client,
    kinds.policies,
    { namespace: 'change', name: 'billing' },
    { spec: policy('change', { tools, egress: { cidrs: [{ cidr: '192.0.2.0/24', ports: [443] }] } }).spec },
  )
  await eventually(async () => (await remitOf('change')).rules.some((rule) => rule.name === 'none'))
  expect(Date.now() - started).toBeLessThan(1_000)
  expect((await remitOf('change')).generation).toBe(before.generation + 1)
  await eventually(async () => JSON.stringify(egressOf(await findFence(client, 'change'))).includes('192.0.2.0/24'))
  expect((await findPod(client, 'change'))?.metadata).toMatchObject({ uid: pod.metadata.uid })
  expect((await findPod(client, 'change'))?.metadata.deletionTimestamp).toBeUndefined()
})

test('a changed workload replaces the pod, one at a time', async () => {
  const pod = await run('workload')
  await patchAgent('workload', { workload: { image: 'registry.example/billing-bot:2' } })
  await eventually(async () => (await findPod(client, 'workload'))?.metadata.deletionTimestamp !== undefined)
  await finish(client, pod)
  const next = await podMade(client, 'workload', undefined, pod.metadata.uid)
  expect(next.spec?.containers[0]?.image).toBe('registry.example/billing-bot:2')
})

test('what is deleted or edited behind its back comes back', async () => {
  const pod = await run('heal')
  const remit = await remitOf('heal')

  await remove(client, kinds.remits, at('heal'))
  await eventually(async () => (await readRemit(client, 'heal')) !== undefined)
  // After a deletion nobody knows what was counted up to.
  expect((await remitOf('heal')).generation).toBeGreaterThan(Date.parse('2026-01-01'))
  expect((await remitOf('heal')).generation).toBeGreaterThan(remit.generation)

  await mergePatch(client, kinds.remits, at('heal'), { spec: { remit: { rules: [], observing: true } } })
  await eventually(async () => (await remitOf('heal')).rules.length > 0)
  expect(await remitOf('heal')).not.toHaveProperty('observing')

  await mergePatch(client, networkPolicies, ofPod('heal'), { spec: { ingress: [{}], egress: [{}] } })
  await eventually(async () => {
    const spec = (await findFence(client, 'heal'))?.spec
    return spec?.egress?.length === 2 && (spec.ingress ?? []).length === 0
  })
  await mergePatch(client, networkPolicies, ofPod('heal'), {
    metadata: { labels: { 'remit.dev/agent': null }, finalizers: null },
  })
  await eventually(async () => {
    const metadata = (await findFence(client, 'heal'))?.metadata
    return metadata?.labels?.['remit.dev/agent'] === name && metadata.finalizers?.length === 1
  })
  await mergePatch(client, serviceAccounts, ofPod('heal'), { automountServiceAccountToken: true })
  await eventually(
    async () => (await get(client, serviceAccounts, ofPod('heal'))).automountServiceAccountToken === false,
  )
  expect((await findPod(client, 'heal'))?.metadata.uid).toBe(pod.metadata.uid)

  await finish(client, pod)
  await podMade(client, 'heal', undefined, pod.metadata.uid)
})

test('a pod stripped of the labels its fence selects it by is ended and made again', async () => {
  const pod = await run('stripped')
  await mergePatch(client, pods, ofPod('stripped'), {
    metadata: { labels: { 'remit.dev/agent': null, 'remit.dev/agent-id': null } },
  })
  await eventually(async () => (await findPod(client, 'stripped'))?.metadata.deletionTimestamp !== undefined)
  await finish(client, pod)
  await podMade(client, 'stripped', undefined, pod.metadata.uid)
})

test('a fence deleted under a running pod never leaves it without one', async () => {
  const pod = await run('fence-gone')
  const first = (await findFence(client, 'fence-gone'))!.metadata.uid
  const seen: number[] = []
  const look = setInterval(() => {
    void list(client, networkPolicies, { namespace: 'fence-gone' }).then(({ items }) => seen.push(items.length))
  }, 5)
  await remove(client, networkPolicies, ofPod('fence-gone'))
  await eventually(async () => {
    const { items } = await list(client, networkPolicies, { namespace: 'fence-gone' })
    return items.length === 1 && items[0]?.metadata.uid !== first && items[0]?.metadata.name === `agent-${name}`
  })
  clearInterval(look)
  expect(Math.min(...seen)).toBeGreaterThan(0)
  expect((await findPod(client, 'fence-gone'))?.metadata.uid).toBe(pod.metadata.uid)
})

test('a deleted ServiceAccount comes back with a new pod, whose tokens are of the new one', async () => {
  const pod = await run('account')
  await remove(client, serviceAccounts, ofPod('account'))
  await eventually(async () => (await findPod(client, 'account'))?.metadata.deletionTimestamp !== undefined)
  await finish(client, pod)
  await podMade(client, 'account', undefined, pod.metadata.uid)
})

test('suspended: the remit says so, the pod goes, and it comes back when it is lifted', async () => {
  const pod = await run('suspend')
  await patchAgent('suspend', { suspended: true })
  await eventually(async () => (await remitOf('suspend')).suspended === true)
  await eventually(async () => (await findPod(client, 'suspend'))?.metadata.deletionTimestamp !== undefined)
  await ready(client, 'suspend', 'AgentSuspended')
  await finish(client, pod)
  expect(egressOf(await findFence(client, 'suspend'))).toHaveLength(1)
  expect(await findPod(client, 'suspend')).toBeUndefined()
  await patchAgent('suspend', { suspended: false })
  await podMade(client, 'suspend')
  expect((await remitOf('suspend')).suspended).not.toBe(true)
})

test('at expiresAt the pod goes by itself', async () => {
  const expiresAt = new Date(Date.now() + 4_000).toISOString().replace(/\.\d+Z$/, 'Z')
  await run('expire', { expiresAt })
  await eventually(async () => (await findPod(client, 'expire'))?.metadata.deletionTimestamp !== undefined)
  expect(Date.now() - Date.parse(expiresAt)).toBeLessThan(1_500)
  await ready(client, 'expire', 'RemitExpired')
})

test('a pod that ended is made again after a pause and counted; one that completed is not', async () => {
  await company(client, 'ended', { agent: {} })
  const first = await podMade(client, 'ended')
  const soon = new Date(Date.now() - 8_000).toISOString()
  await kubelet(client, first, terminated(3, soon))
  const condition = await ready(client, 'ended', 'AgentFailing')
  expect(condition.message).toContain('exit code 3')
  const second = await podMade(client, 'ended', undefined, first.metadata.uid)
  await eventually(async () => (await readAgent(client, 'ended')).status?.restarts === 1)
  await kubelet(client, second, terminated(0, new Date().toISOString()))
  await ready(client, 'ended', 'Completed')
  await finish(client, second)
  await eventually(async () => (await readAgent(client, 'ended')).status?.podName === undefined)
  await ready(client, 'ended', 'Completed')
  expect(await findPod(client, 'ended')).toBeUndefined()
  await patchAgent('ended', { workload: { args: ['again'] } })
  await podMade(client, 'ended')
})

test.each([
  [
    waiting('ImagePullBackOff', 'Back-off pulling image "registry.example/billing-bot:1": not found'),
    'ImageCannotBePulled',
    'not found',
  ],
  [
    waiting('CreateContainerConfigError', 'configmap "settings" not found'),
    'ContainerRefused',
    'configmap "settings" not found',
  ],
  [
    {
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: '0/1 nodes are available: 1 Insufficient cpu.',
        },
      ],
    },
    'Unschedulable',
    'Insufficient cpu',
  ],
])('what a person needs is in the conditions: %#', async (status, reason, message) => {
  const namespace = `stuck-${reason.toLowerCase()}`
  await company(client, namespace, { agent: {} })
  await kubelet(client, await podMade(client, namespace), status)
  expect((await ready(client, namespace, reason)).message).toContain(message)
  expect(await conditionOf(namespace, 'SandboxReady')).toMatchObject({ status: 'False', reason })
})

test('a missing Secret is told from the event of the kubelet, without a right to read Secrets', async () => {
  await company(client, 'secret', { agent: {} })
  const pod = await podMade(client, 'secret')
  await create(client, legacyEvents, {
    metadata: { name: 'mount', namespace: 'secret' },
    involvedObject: { kind: 'Pod', namespace: 'secret', name: pod.metadata.name, uid: pod.metadata.uid },
    type: 'Warning',
    reason: 'FailedMount',
    message: 'MountVolume.SetUp failed for volume "remit-credentials" : secret "billing-token" not found',
    lastTimestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  })
  expect((await ready(client, 'secret', 'SecretMissing')).message).toContain('billing-token')
})

test('a quota and an unknown RuntimeClass are told', async () => {
  await company(client, 'quota')
  const quotas = resource<KubeObject>('v1', 'ResourceQuota', 'resourcequotas')
  const quota = { metadata: { name: 'none', namespace: 'quota' }, spec: { hard: { pods: '0' } } }
  await create(client, quotas, quota as KubeObject)
  await mergePatch(
    client,
    quotas,
    { namespace: 'quota', name: 'none', subresource: 'status' },
    { status: { hard: { pods: '0' }, used: { pods: '0' } } },
  )
  await make(client, 'agents', agent('quota'))
  expect((await ready(client, 'quota', 'QuotaExceeded')).message).toContain('exceeded quota')

  await company(client, 'runtime', {
    agent: { workload: { image: 'registry.example/billing-bot:1', runtimeClassName: 'gvisor' } },
  })
  expect((await ready(client, 'runtime', 'SandboxRefused')).message).toContain('gvisor')
  await create(client, resource<KubeObject>('node.k8s.io/v1', 'RuntimeClass', 'runtimeclasses', 'Cluster'), {
    metadata: { name: 'gvisor' },
    handler: 'runsc',
  } as never)
  expect((await podMade(client, 'runtime')).spec?.runtimeClassName).toBe('gvisor')
})

test('without owner, policy or Service there is no pod; each is told, and comes to life when it appears', async () => {
  await company(client, 'missing')
  await remove(client, kinds.owners, { namespace: 'missing', name: 'billing-team' })
  await remove(client, kinds.policies, { namespace: 'missing', name: 'billing' })
  await remove(client, services, { namespace: 'missing', name: 'billing-mcp' })
  await make(client, 'agents', agent('missing'))
  await ready(client, 'missing', 'OwnerGroupMissing')
  await make(client, 'owners', owner('missing'))
  await ready(client, 'missing', 'PolicyMissing')
  expect(await conditionOf('missing', 'PolicyAccepted')).toMatchObject({ status: 'False', reason: 'PolicyMissing' })
  await make(client, 'policies', policy('missing'))
  await ready(client, 'missing', 'ServiceMissing')
  expect(await findPod(client, 'missing')).toBeUndefined()
  await create(client, services, {
    metadata: { name: 'billing-mcp', namespace: 'missing' },
    spec: { selector: { app: 'x' }, ports: [{ port: 8080 }] },
  })
  await podMade(client, 'missing')
})

test('an owner group that goes takes the authority of a running agent, and gives it back', async () => {
  const pod = await run('unowned')
  await remove(client, kinds.owners, { namespace: 'unowned', name: 'billing-team' })
  await eventually(async () => (await remitOf('unowned')).suspended === true)
  await ready(client, 'unowned', 'OwnerGroupMissing')
  expect(egressOf(await findFence(client, 'unowned'))).toHaveLength(1)
  expect((await findPod(client, 'unowned'))?.metadata).not.toHaveProperty('deletionTimestamp')
  await make(client, 'owners', owner('unowned', { onCall: { owner: 'bo' } }))
  await eventually(async () => (await remitOf('unowned')).suspended === undefined)
  await ready(client, 'unowned', 'Running')
  expect((await readAgent(client, 'unowned')).status?.onCall).toBe('bo')
  expect((await findPod(client, 'unowned'))?.metadata.uid).toBe(pod.metadata.uid)
})

test('who is on call changes at the hand-over', async () => {
  const start = new Date(Date.now() + 6_000).toISOString().replace(/\.\d+Z$/, '')
  await company(client, 'rota')
  const rotation = { timeZone: 'UTC', start, every: { count: 1, unit: 'Week' as const }, order: [['bo']] }
  await mergePatch(
    client,
    kinds.owners,
    { namespace: 'rota', name: 'billing-team' },
    { spec: { onCall: { owner: null, rotation }, fallback: ['ana'] } },
  )
  await make(client, 'agents', agent('rota'))
  await eventually(async () => (await findAgent(client, 'rota'))?.status?.onCall === 'ana')
  await eventually(async () => (await readAgent(client, 'rota')).status?.onCall === 'bo')
  await eventually(
    async () => (await get(client, kinds.owners, { namespace: 'rota', name: 'billing-team' })).status?.onCall === 'bo',
  )
})

test('deleted: authority first, then the pod, then everything; the fence stands until the pod is gone', async () => {
  const pod = await run('delete')
  await remove(client, kinds.agents, at('delete'))
  await eventually(async () => (await remitOf('delete'))?.suspended === true)
  await eventually(async () => (await findPod(client, 'delete'))?.metadata.deletionTimestamp !== undefined)
  expect(await findFence(client, 'delete')).toBeDefined()
  expect(await findAgent(client, 'delete')).toBeDefined()
  await finish(client, pod)
  await eventually(async () => (await findAgent(client, 'delete')) === undefined)
  expect(await findFence(client, 'delete')).toBeUndefined()
  expect(await readRemit(client, 'delete')).toBeUndefined()
  expect(await find(client, serviceAccounts, ofPod('delete'))).toBeUndefined()
})

test('an agent made again under the same name inherits nothing of one removed by force', async () => {
  const pod = await run('again')
  const before = (await readAgent(client, 'again')).metadata.uid
  await operator.stop()
  await mergePatch(client, kinds.agents, at('again'), { metadata: { finalizers: null } })
  await remove(client, kinds.agents, at('again'))
  await make(client, 'agents', agent('again'))
  operator = startOperator(cluster.operatorClient)
  await eventually(async () => (await findPod(client, 'again'))?.metadata.deletionTimestamp !== undefined)
  await finish(client, pod)
  const next = await podMade(client, 'again', undefined, pod.metadata.uid)
  expect(next.metadata.labels?.['remit.dev/agent-id']).not.toBe(before)
  expect((await remitOf('again')).agent.id).toBe(next.metadata.labels?.['remit.dev/agent-id'])
})

test('a namespace that is deleted is left with nothing of ours', async () => {
  const pod = await run('doomed')
  await remove(client, resource('v1', 'Namespace', 'namespaces', 'Cluster'), { name: 'doomed' })
  // The namespace controller's part: it deletes every collection, in no order that helps.
  for (const kind of [
    networkPolicies,
    serviceAccounts,
    kinds.remits,
    kinds.owners,
    kinds.policies,
    kinds.agents,
    services,
  ]) {
    const { items } = await list<KubeObject>(client, kind as never, { namespace: 'doomed' })
    for (const { metadata } of items) await remove(client, kind as never, { namespace: 'doomed', name: metadata.name })
  }
  await remove(client, pods, ofPod('doomed'))
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await findFence(client, 'doomed')).toBeDefined()
  await finish(client, pod)
  for (const kind of [networkPolicies, kinds.agents, kinds.remits, pods])
    await eventually(async () => (await list(client, kind as never, { namespace: 'doomed' })).items.length === 0, {
      what: kind.kind,
    })
})
