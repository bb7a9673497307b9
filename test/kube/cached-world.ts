import { expect } from 'vitest'
import { createInformer, type InformerOptions } from '../../lib/kube/informer.ts'
import { list, mergePatch, remove } from '../../lib/kube/objects.ts'
import { type ConfigMap, configMaps } from '../../lib/kube/resources.ts'
import { eventually } from '../harness/eventually.ts'
import { countMetrics, keepLog, makeConfigMap, useWorld } from './setup.ts'

/** A world whose ConfigMaps are cached through the proxy and written beside it. */
export const useCachedWorld = () => {
  const world = useWorld()

  const start = async (options: Partial<InformerOptions<ConfigMap>> = {}) => {
    const metrics = countMetrics()
    const { log, lines } = keepLog()
    const informer = createInformer({
      client: world.proxied,
      kind: configMaps,
      namespace: world.namespace,
      log,
      metrics,
      backoff: { baseMs: 20, maxMs: 500 },
      ...options,
    })
    const told = new Map<string, string | undefined>()
    informer.onChange(({ key, new: object }) => void told.set(key, object?.data?.value))
    void informer.run(world.signal)
    await informer.synced()
    return { informer, metrics, lines, told }
  }

  const write = (name: string, value: string) =>
    mergePatch(world.server.client, configMaps, { namespace: world.namespace, name }, { data: { value } })
  const drop = (name: string) => remove(world.server.client, configMaps, { namespace: world.namespace, name })
  const make = (name: string) => makeConfigMap(world.server.client, world.namespace, name)

  type Started = Awaited<ReturnType<typeof start>>

  /** The cache is what the server has, and the handlers were told every difference on the way there. */
  const becomesTrue = async ({ informer, told }: Started, timeoutMs = 10_000) => {
    const truth = (await list(world.server.client, configMaps, { namespace: world.namespace })).items
    const values = (items: ConfigMap[]) =>
      Object.fromEntries(items.map((each) => [each.metadata.name, each.data?.value]))
    await eventually(() => expect(values(informer.cache.list())).toEqual(values(truth)) ?? true, { timeoutMs })
    for (const each of truth) expect(told.get(`${world.namespace}/${each.metadata.name}`)).toBe(each.data?.value)
    const alive = [...told.values()].filter((value) => value !== undefined)
    expect(alive.length).toBe(truth.length)
  }

  /** Makes three, changes one, removes one. */
  const changeThings = async (prefix: string) => {
    await Promise.all([1, 2, 3].map((n) => make(`${prefix}-${n}`)))
    await write(`${prefix}-1`, 'changed')
    await drop(`${prefix}-2`)
  }

  return { world, start, write, drop, make, becomesTrue, changeThings }
}

export const isWatch = ({ watch }: { watch: boolean }): boolean => watch
