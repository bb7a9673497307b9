import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { apply, applyIfChanged } from '../../lib/kube/apply.ts'
import { type ControllerOptions, createController, ownersOf, source, TerminalError } from '../../lib/kube/controller.ts'
import { createInformer } from '../../lib/kube/informer.ts'
import { get, mergePatch, remove } from '../../lib/kube/objects.ts'
import { type ConfigMap, configMaps } from '../../lib/kube/resources.ts'
import { keepManager } from '../../lib/kube/trim.ts'
import { eventually } from '../harness/eventually.ts'
import { countMetrics, keepLog, makeConfigMap, useWorld } from './setup.ts'

const world = useWorld()

const watchConfigMaps = () => {
  const informer = createInformer({
    client: world.proxied,
    kind: configMaps,
    namespace: world.namespace,
    log: keepLog().log,
    transform: keepManager('copier'),
    backoff: { baseMs: 20, maxMs: 200 },
  })
  void informer.run(world.signal)
  return informer
}

const run = (options: Omit<ControllerOptions, 'log' | 'metrics' | 'name'>, signal = world.signal) => {
  const metrics = countMetrics()
  const { log, lines } = keepLog()
  const controller = createController({ name: 'test', log, metrics, backoff: { baseMs: 20, maxMs: 200 }, ...options })
  const ended = controller.run(signal)
  return { controller, metrics, lines, ended }
}

const make = (name: string) => makeConfigMap(world.server.client, world.namespace, name)
const at = (name: string) => ({ namespace: world.namespace, name })

/** Every ConfigMap gets an owned copy: small, but all a controller does. */
const copier = (informer: ReturnType<typeof watchConfigMaps>) => {
  let writes = 0
  const isCopy = ({ metadata }: ConfigMap) => metadata.name.startsWith('copy-of-')
  const started = run({
    sources: [
      source(informer, (object) =>
        isCopy(object) ? ownersOf('v1', 'ConfigMap')(object) : [`${world.namespace}/${object.metadata.name}`],
      ),
    ],
    reconcile: async (key, { signal }) => {
      const original = informer.cache.get(key)
      if (!original) return
      const { name, uid } = original.metadata
      const copy = {
        metadata: {
          ...at(`copy-of-${name}`),
          ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid: uid! }],
        },
        data: original.data,
      }
      const cached = informer.cache.get(`${world.namespace}/copy-of-${name}`)
      const options = { fieldManager: 'copier', signal }
      if ((await applyIfChanged(world.proxied, configMaps, copy, cached, options)).applied) writes++
    },
  })
  return { ...started, writes: () => writes }
}

const copyIs = (name: string, value: string) =>
  eventually(async () => {
    const copy = await get(world.server.client, configMaps, at(`copy-of-${name}`))
    return copy.data?.value === value
  })

test('what is deleted or edited behind its back is put right, and a resync writes nothing', async () => {
  const { controller, writes, metrics } = copier(watchConfigMaps())
  await make('a')
  await copyIs('a', '1')
  await mergePatch(world.server.client, configMaps, at('a'), { data: { value: '2' } })
  await copyIs('a', '2')
  await mergePatch(world.server.client, configMaps, at('copy-of-a'), { data: { value: 'meddled' } })
  await copyIs('a', '2')
  await remove(world.server.client, configMaps, at('copy-of-a'))
  await copyIs('a', '2')
  await pause(300)
  const before = { writes: writes(), reconciles: metrics.results.length }
  for (let n = 0; n < 5; n++) {
    controller.enqueue(`${world.namespace}/a`)
    await pause(20)
  }
  expect(metrics.results.length).toBeGreaterThan(before.reconciles)
  expect(writes()).toBe(before.writes)
})

test('it recovers when the API server was killed under its writes', async () => {
  copier(watchConfigMaps())
  await make('before')
  await copyIs('before', '1')
  await world.server.kill()
  world.proxy.cutAll()
  await world.server.restart()
  await make('after')
  await copyIs('after', '1')
})

test('an error is tried again with a growing pause, each line with its reconcile id', async () => {
  let tries = 0
  const { controller, lines, metrics } = run({
    sources: [],
    reconcile: async () => {
      if (++tries < 4) throw new Error('not yet')
    },
  })
  controller.enqueue('x')
  await eventually(() => tries === 4)
  await eventually(() => metrics.results.length === 4)
  expect(metrics.results).toEqual(['error', 'error', 'error', 'success'])
  const ids = lines.filter(({ message }) => message === 'reconcile failed').map(({ fields }) => fields.reconcileId)
  expect(new Set(ids).size).toBe(3)
})

test('a terminal error rests until the object changes', async () => {
  const informer = watchConfigMaps()
  let tries = 0
  run({
    sources: [source(informer)],
    reconcile: async () => {
      tries++
      throw new TerminalError('no')
    },
  })
  await make('bad')
  await eventually(() => tries === 1)
  await pause(400)
  expect(tries).toBe(1)
  await mergePatch(world.server.client, configMaps, at('bad'), { data: { value: '2' } })
  await eventually(() => tries === 2)
})

test('429 with Retry-After is waited out', async () => {
  world.proxy.inject({
    match: ({ method }) => method === 'PATCH',
    fault: { answer: 429, headers: { 'retry-after': '1' }, body: 'Too many requests' },
    times: 1,
  })
  const at_: number[] = []
  const { controller } = run({
    sources: [],
    reconcile: async (_key, { signal }) => {
      at_.push(Date.now())
      await apply(world.proxied, configMaps, { metadata: at('limited') }, { fieldManager: 'test', signal })
    },
  })
  controller.enqueue('x')
  await eventually(() => at_.length === 2)
  expect(at_[1]! - at_[0]!).toBeGreaterThanOrEqual(1_000)
})

test('requeueAfter comes back; one key is never worked on twice at a time, different keys are', async () => {
  const working = new Map<string, number>()
  let most = 0
  let rounds = 0
  const { controller } = run({
    sources: [],
    concurrency: 3,
    reconcile: async (key) => {
      working.set(key, (working.get(key) ?? 0) + 1)
      expect(working.get(key)).toBe(1)
      most = Math.max(most, [...working.values()].filter((n) => n > 0).length)
      controller.enqueue(key)
      await pause(20)
      working.set(key, 0)
      rounds++
      return { requeueAfterMs: 10 }
    },
  })
  for (const key of ['a', 'b', 'c', 'd']) controller.enqueue(key)
  await eventually(() => rounds > 20)
  expect(most).toBe(3)
})

test('when told to stop it ends what is under way, starts nothing new and hears no more', async () => {
  const informer = watchConfigMaps()
  const stop = new AbortController()
  let begun = 0
  let aborted = 0
  const { ended, metrics } = run(
    {
      sources: [source(informer)],
      concurrency: 1,
      reconcile: async (_key, { signal }) => {
        begun++
        await pause(10_000, undefined, { signal }).catch(() => aborted++)
        signal.throwIfAborted()
      },
    },
    stop.signal,
  )
  await make('a')
  await make('b')
  await eventually(() => begun === 1)
  stop.abort()
  await ended
  await make('c')
  await eventually(() => informer.cache.get(`${world.namespace}/c`))
  expect({ begun, aborted, results: metrics.results }).toEqual({ begun: 1, aborted: 1, results: ['aborted'] })
})
