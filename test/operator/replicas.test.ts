import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client } from '../../lib/kube/client.ts'
import { get, mergePatch, remove } from '../../lib/kube/objects.ts'
import { leases, serviceAccounts } from '../../lib/kube/resources.ts'
import { kinds } from '../../operator/caches.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { serviceAccountToken } from '../harness/world.ts'
import {
  bind,
  company,
  findFence,
  kubelet,
  podMade,
  quick,
  readRemit,
  ready,
  running,
  SYSTEM,
  startCluster,
  startOperator,
} from './harness.ts'

let cluster: Apiserver & { operatorClient: Client }
let client: Client
beforeAll(async () => {
  cluster = await startCluster()
  client = cluster.client
}, 60_000)
afterAll(() => cluster?.stop())

/** The operator's port to the API server, every write of it noted; renewing the Lease is not the work. */
const noting = (inner: Client) => {
  const writes: string[] = []
  const request: Client['request'] = (method, path, options) => {
    if (method !== 'GET' && !path.includes('/leases')) writes.push(`${method} ${path}`)
    return inner.request(method, path, options)
  }
  return { client: { ...inner, request } as Client, writes }
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const lease = () => get(client, leases, { namespace: SYSTEM, name: 'remit-operator' })

const spawnOperator = async (podName: string): Promise<ChildProcess> => {
  const token = await serviceAccountToken(client, { namespace: SYSTEM, name: 'remit-operator' })
  const kubeconfig = join(cluster.dir, `${podName}.kubeconfig`)
  writeFileSync(kubeconfig, await cluster.kubeconfig({ token }), { mode: 0o600 })
  const main = fileURLToPath(new URL('../../operator/main.ts', import.meta.url))
  const env = {
    ...process.env,
    ...quick,
    KUBECONFIG: kubeconfig,
    REMIT_SYSTEM_NAMESPACE: SYSTEM,
    POD_NAME: podName,
    REMIT_HEALTH_HOST: '127.0.0.1',
    REMIT_HEALTH_PORT: '0',
  }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  // Also when the test is killed: the child must not outlive it for long.
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}
const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) =>
    child.exitCode !== null || child.signalCode ? resolve(child.exitCode) : child.once('exit', resolve),
  )

test('a resync and a new leader write nothing when nothing has changed', async () => {
  const first = startOperator(cluster.operatorClient)
  await company(client, 'quiet', { agent: {} })
  const pod = await podMade(client, 'quiet')
  await bind(client, pod)
  await kubelet(client, pod, running)
  await ready(client, 'quiet', 'Running')
  await eventually(
    async () => (await get(client, kinds.policies, { namespace: 'quiet', name: 'billing' })).status?.agents === 1,
  )
  await pause(500)
  await first.stop()
  const { client: watched, writes } = noting(cluster.operatorClient)
  const second = startOperator(watched, { POD_NAME: 'operator-b' })
  await eventually(() => second.operator.isLeading())
  await pause(1_500)
  await second.stop()
  expect(writes).toEqual([])
})

test('of two operators one writes; when it stops, the other takes over at once, with a higher epoch', async () => {
  const a = noting(cluster.operatorClient)
  const b = noting(cluster.operatorClient)
  const first = startOperator(a.client, { POD_NAME: 'operator-a' })
  await eventually(() => first.operator.isLeading())
  const second = startOperator(b.client, { POD_NAME: 'operator-b' })
  await company(client, 'two', { agent: {} })
  await podMade(client, 'two')
  expect(second.operator.isLeading()).toBe(false)
  expect(b.writes).toEqual([])
  expect(a.writes.length).toBeGreaterThan(0)
  const epoch = (await lease()).spec?.leaseTransitions ?? 0
  const stopped = Date.now()
  await first.stop()
  await eventually(() => second.operator.isLeading())
  expect(Date.now() - stopped).toBeLessThan(2_000)
  expect((await lease()).spec?.leaseTransitions).toBeGreaterThan(epoch)
  const before = a.writes.length
  await remove(client, kinds.remits, { namespace: 'two', name: 'billing-bot' })
  await eventually(async () => (await readRemit(client, 'two')) !== undefined)
  expect(a.writes.length).toBe(before)
  await second.stop()
})

test('kill -9 of the operator: another goes on where it stopped; SIGTERM releases the lease', async () => {
  const first = await spawnOperator('killed')
  await company(client, 'killed', { agent: {} })
  await podMade(client, 'killed')
  first.kill('SIGKILL')
  await ended(first)
  await remove(client, serviceAccounts, { namespace: 'killed', name: 'agent-billing-bot' })
  await mergePatch(client, kinds.policies, { namespace: 'killed', name: 'billing' }, { spec: { tools: [] } })
  const second = await spawnOperator('survivor')
  await eventually(
    async () =>
      ((await readRemit(client, 'killed'))?.spec.remit as { rules?: unknown[] } | undefined)?.rules?.length === 0,
    { timeoutMs: 15_000 },
  )
  await eventually(() => get(client, serviceAccounts, { namespace: 'killed', name: 'agent-billing-bot' }))
  expect(await findFence(client, 'killed')).toBeDefined()
  second.kill('SIGTERM')
  expect(await ended(second)).toBe(0)
  expect((await lease()).spec?.holderIdentity ?? '').toBe('')
}, 40_000)
