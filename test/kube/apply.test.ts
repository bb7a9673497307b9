import { expect, test } from 'vitest'
import { apply, applyIfChanged, type Desired } from '../../lib/kube/apply.ts'
import { isConflict, isInvalid, isNotFound } from '../../lib/kube/errors.ts'
import { createInformer } from '../../lib/kube/informer.ts'
import { create, get, list, mergePatch, remove, update } from '../../lib/kube/objects.ts'
import {
  type ConfigMap,
  configMaps,
  type NetworkPolicy,
  networkPolicies,
  type Pod,
  pods,
  type Service,
  services,
} from '../../lib/kube/resources.ts'
import { keepManager } from '../../lib/kube/trim.ts'
import { keepLog, makeConfigMap, useWorld } from './setup.ts'

const world = useWorld()
const manager = { fieldManager: 'remit-test' }
const inTest = (name: string) => ({ namespace: world.namespace, name })

test('errors carry the server’s reason', async () => {
  const { client } = world.server
  await expect(get(client, configMaps, inTest('none'))).rejects.toSatisfy(isNotFound)
  await expect(makeConfigMap(client, world.namespace, 'Bad_Name')).rejects.toSatisfy(isInvalid)
  const old = await makeConfigMap(client, world.namespace, 'one')
  await mergePatch(client, configMaps, inTest('one'), { data: { value: '2' } })
  await expect(update(client, configMaps, { ...old, data: { value: '3' } })).rejects.toSatisfy(isConflict)
  await expect(remove(client, configMaps, inTest('one'), { uid: 'another' })).rejects.toSatisfy(isConflict)
  expect(await remove(client, configMaps, inTest('one'), { uid: old.metadata.uid })).toBe(true)
  expect(await remove(client, configMaps, inTest('one'))).toBe(false)
})

test('apply takes back what it no longer wants and leaves alone what others wrote', async () => {
  const { client } = world.server
  const base = { metadata: inTest('shared') }
  await apply(client, configMaps, { ...base, data: { mine: '1', old: '1' } }, manager)
  await mergePatch(client, configMaps, inTest('shared'), { data: { theirs: '1' } })
  const now = await apply(client, configMaps, { ...base, data: { mine: '2' } }, manager)
  expect(now.data).toEqual({ mine: '2', theirs: '1' })
})

test('two managers of one field: a conflict without force, the last one with it', async () => {
  const { client } = world.server
  const wanted = (value: string) => ({ metadata: inTest('fought'), data: { value } })
  await apply(client, configMaps, wanted('a'), { fieldManager: 'a' })
  await expect(apply(client, configMaps, wanted('b'), { fieldManager: 'b', force: false })).rejects.toSatisfy(
    isConflict,
  )
  expect((await apply(client, configMaps, wanted('b'), { fieldManager: 'b' })).data).toEqual({ value: 'b' })
})

/** Applies through a cache as a controller does, and tells what a resync and each meddling lead to. */
const behaves = async <T extends Pod | NetworkPolicy | Service | ConfigMap>(
  kind: Parameters<typeof get<T>>[1],
  desired: Desired<T>,
  meddlings: { patch: object; heals: boolean }[],
  lessWanted: Desired<T>,
) => {
  const { client } = world.server
  const target = inTest(desired.metadata.name)
  const cached = async () => keepManager(manager.fieldManager)(await get(client, kind, target))
  expect((await applyIfChanged(client, kind, desired, undefined, manager)).applied).toBe(true)
  const resync = await applyIfChanged(client, kind, desired, await cached(), manager)
  expect(resync.applied).toBe(false)
  for (const { patch, heals } of meddlings) {
    await mergePatch(client, kind, target, patch)
    expect((await applyIfChanged(client, kind, desired, await cached(), manager)).applied).toBe(heals)
    expect((await applyIfChanged(client, kind, desired, await cached(), manager)).applied).toBe(false)
  }
  expect((await applyIfChanged(client, kind, lessWanted, await cached(), manager)).applied).toBe(true)
  expect((await applyIfChanged(client, kind, lessWanted, await cached(), manager)).applied).toBe(false)
}

const pod = (labels: Record<string, string>) => ({
  metadata: { ...inTest('pod'), labels, finalizers: ['remit.dev/held'] },
  spec: {
    containers: [
      {
        name: 'agent',
        image: 'example/agent',
        args: ['--one', '--two'],
        env: [{ name: 'A', value: '1' }],
        ports: [{ containerPort: 8080 }],
        resources: { requests: { cpu: '100m', memory: '64Mi' } },
        volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
      },
    ],
    volumes: [{ name: 'scratch', emptyDir: {} }],
    securityContext: {},
  },
})

test('a resync writes nothing: a pod, with defaults, keyed lists, sets and another’s additions', async () => {
  await behaves<Pod>(
    pods,
    pod({ app: 'agent', tier: 'one' }),
    [
      { patch: { metadata: { labels: { other: 'theirs' } } }, heals: false },
      { patch: { metadata: { labels: { app: 'stolen' } } }, heals: true },
      { patch: { metadata: { finalizers: ['remit.dev/held', 'example.com/other'] } }, heals: false },
      { patch: { metadata: { finalizers: ['example.com/other'] } }, heals: true },
    ],
    pod({ app: 'agent' }),
  )
})

test('a resync writes nothing: a network policy, whose rules are replaced as a whole', async () => {
  const rule = (port: number) => ({ ports: [{ port, protocol: 'TCP' }], to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] })
  const policy = (ports: number[]): Desired<NetworkPolicy> => ({
    metadata: inTest('policy'),
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [], egress: ports.map(rule) },
  })
  await behaves<NetworkPolicy>(
    networkPolicies,
    policy([443, 80]),
    [
      { patch: { spec: { egress: [rule(443), rule(80), {}] } }, heals: true },
      { patch: { spec: { ingress: [{}] } }, heals: true },
      { patch: { spec: { egress: null } }, heals: true },
      // The same rule and one key more is a rule for other pods.
      { patch: { spec: { egress: [{ ...rule(443), ports: [] }, rule(80)] } }, heals: true },
      { patch: { spec: { podSelector: { matchLabels: { nothing: 'matches' } } } }, heals: true },
      { patch: { spec: { podSelector: { matchExpressions: [{ key: 'x', operator: 'Exists' }] } } }, heals: true },
      { patch: { metadata: { annotations: { note: 'theirs' } } }, heals: false },
    ],
    policy([443]),
  )
})

test('a resync writes nothing: a service, whose ports are keyed with a defaulted part', async () => {
  const service = (ports: number[]): Desired<Service> => ({
    metadata: inTest('service'),
    spec: { selector: { app: 'x' }, ports: ports.map((port) => ({ name: `p-${port}`, port })) },
  })
  await behaves<Service>(
    services,
    service([80, 443]),
    [{ patch: { spec: { selector: { app: 'stolen' } } }, heals: true }],
    service([443]),
  )
})

test('a status is its own field set', async () => {
  const { client } = world.server
  await create(client, pods, pod({}) as Pod)
  const status = { metadata: inTest('pod'), status: { message: 'hello' } }
  const options = { ...manager, subresource: 'status' as const }
  expect((await applyIfChanged(client, pods, status, undefined, options)).applied).toBe(true)
  const live = await get(client, pods, inTest('pod'))
  expect(live.status?.message).toBe('hello')
  expect((await applyIfChanged(client, pods, status, live, options)).applied).toBe(false)
})

test('an informer’s cache is enough for it, and its objects cannot be changed by mistake', async () => {
  const { client } = world.server
  const desired = { metadata: inTest('cached'), data: { value: '1' } }
  await apply(client, configMaps, desired, manager)
  const informer = createInformer({
    client,
    kind: configMaps,
    namespace: world.namespace,
    log: keepLog().log,
    transform: keepManager(manager.fieldManager),
    indexers: { byValue: (object) => Object.values(object.data ?? {}) },
  })
  void informer.run(world.signal)
  await informer.synced()
  const cached = informer.cache.get(`${world.namespace}/cached`)!
  expect(informer.cache.byIndex('byValue', '1')).toEqual([cached])
  expect((await applyIfChanged(client, configMaps, desired, cached, manager)).applied).toBe(false)
  expect(() => Object.assign(cached.data!, { value: '2' })).toThrow(TypeError)
  expect((await list(client, configMaps, { namespace: world.namespace })).items[0]?.data).toEqual({ value: '1' })
})
