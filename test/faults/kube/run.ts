import { setTimeout as pause } from 'node:timers/promises'
import { applyIfChanged } from '../../../lib/kube/apply.ts'
import { type Client, createClient } from '../../../lib/kube/client.ts'
import { createController, source } from '../../../lib/kube/controller.ts'
import { createInformer } from '../../../lib/kube/informer.ts'
import { loadKubeConfig } from '../../../lib/kube/kubeconfig.ts'
import { list, remove } from '../../../lib/kube/objects.ts'
import { type ConfigMap, configMaps } from '../../../lib/kube/resources.ts'
import { keepManager } from '../../../lib/kube/trim.ts'
import { splitKey } from '../../../lib/kube/types.ts'
import { random } from '../../fuzz/random.ts'
import { startApiserver } from '../../harness/apiserver.ts'
import { eventually } from '../../harness/eventually.ts'
import { type FaultProxy, startFaultProxy } from '../../harness/fault-proxy.ts'
import { createNamespace } from '../../harness/world.ts'
import { heldMiB } from '../heap.ts'
import { type Quantiles, quantiles } from '../quantiles.ts'
import { createEar } from './ear.ts'
import { keepAccount } from './metrics.ts'
import { nextTrouble } from './trouble.ts'
import { createWriters } from './writer.ts'

export interface KubeOptions {
  seed: number
  changes: number
  /** The run is held against the truth after each. */
  rounds: number
  /** Milliseconds between two bad moments, on average; 350 unless told. */
  betweenMs?: number
  say?: (line: string) => void
}
export interface KubeReport {
  changes: number
  /** Changes never seen or seen past, last states never told, differences the periodic list had to find. */
  missed: number
  wentBack: number
  /** Milliseconds from the API server's answer to a change to the reconcile that sees it. */
  clean: Quantiles
  faulty: Quantiles
  /** Longest time from the last fault of a round to a cache that equals the server, milliseconds. */
  settledMs: number
  applied: number
  writesOnResync: number
  /** MiB, the median after rounds of the first half and of the second: what is under way at a moment differs. */
  heldMiB: [first: number, last: number]
  troubles: Record<string, number>
  lists: Record<string, number>
  problems: string[]
}

const median = (values: number[]) => quantiles(values).p50

const SETTLE_MS = 40_000
const WRITERS = 12
const EACH = 25
/** A share of the ConfigMaps is copied by server-side apply, through the same proxy. */
const isCopied = (name: string) => name.endsWith('0')
const manager = 'faults'

/** Silence is taken for death after a second instead of 30 and 150, so that an hour's faults fit into minutes. */
const impatient = (client: Client): Client => ({
  ...client,
  request: (method, path, options) => client.request(method, path, { timeoutMs: 2_000, ...options }),
  text: (method, path, options) => client.text(method, path, { timeoutMs: 2_000, ...options }),
  stream: (path, options) => client.stream(path, { timeoutMs: 1_000, ...options }),
})
const quick = { inactivityMs: 1_000, backoff: { baseMs: 20, maxMs: 300, jitter: 0.5 }, watchSeconds: 8 }
/** What the periodic list finds it may mend only after a round had to be settled: until then the watch has to bring it. */
const check = { relistMs: 5_000, missGraceMs: SETTLE_MS + 10_000 }

/** Brings bad moments until it is stopped, and undoes what is left of them then. */
const trouble = (proxy: FaultProxy, seed: number, betweenMs: number, count: (name: string) => void) => {
  const choose = random(seed, 1_000_003)
  return () => {
    const stop = new AbortController()
    const undo: (() => void)[] = []
    const ended = (async () => {
      while (!stop.signal.aborted) {
        await pause(choose.below(2 * betweenMs), undefined, { signal: stop.signal }).catch(() => undefined)
        if (stop.signal.aborted) break
        const { name, begin } = nextTrouble(choose)
        count(name)
        undo.push(begin(proxy))
      }
    })()
    return async () => {
      stop.abort()
      await ended
      for (const each of undo) each()
    }
  }
}

/** Changes ConfigMaps on a real API server while lib/kube watches them and writes copies through a bad network. */
export const runKube = async ({
  seed,
  changes,
  rounds,
  betweenMs = 350,
  say = () => {},
}: KubeOptions): Promise<KubeReport> => {
  const server = await startApiserver()
  const { url, serving, ca } = server
  const proxy = await startFaultProxy({ upstream: url, serving, ca })
  const text = await server.kubeconfig({ server: proxy.url })
  const plain = createClient(loadKubeConfig({ from: 'text', text }))
  const over = new AbortController()
  const running: Promise<unknown>[] = []
  try {
    const client = impatient(plain)
    const [namespace, copiesIn] = ['maps', 'copies']
    for (const name of [namespace, copiesIn]) await createNamespace(server.client, name)
    const account = keepAccount()
    const ear = createEar()
    const common = { client, kind: configMaps, log: account.log, metrics: account.metrics, ...quick, ...check }
    const maps = createInformer<ConfigMap>({ ...common, namespace })
    const copies = createInformer<ConfigMap>({ ...common, namespace: copiesIn, transform: keepManager(manager) })
    maps.onChange(ear.told)
    let applied = 0
    const controller = createController({
      name: 'faults',
      concurrency: 4,
      log: account.log,
      metrics: account.metrics,
      backoff: { baseMs: 20, maxMs: 500, jitter: 0.2 },
      sources: [source(maps), source(copies, ({ metadata }) => [`${namespace}/${metadata.name}`])],
      reconcile: async (key, { signal }) => {
        const { name } = splitKey(key)
        const object = maps.cache.get(key)
        ear.reconciled(name, object)
        if (!isCopied(name)) return
        const copy = copies.cache.get(`${copiesIn}/${name}`)
        const target = { namespace: copiesIn, name }
        if (!object) {
          if (copy) await remove(client, configMaps, target, { signal })
          return
        }
        const desired = { metadata: target, data: { n: object.data?.n ?? '' } }
        if ((await applyIfChanged(client, configMaps, desired, copy, { fieldManager: manager, signal })).applied)
          applied++
      },
    })
    running.push(maps.run(over.signal), copies.run(over.signal), controller.run(over.signal))
    await Promise.all([maps.synced(), copies.synced()])

    const writers = createWriters({
      client: server.client,
      namespace,
      seed,
      writers: WRITERS,
      each: EACH,
      onChange: ear.wrote,
    })
    const valuesIn = (items: ConfigMap[]) => new Map(items.map(({ metadata, data }) => [metadata.name, data?.n]))
    const same = (a: Map<string, unknown>, b: Map<string, unknown>) =>
      a.size === b.size && [...a].every(([name, n]) => b.get(name) === n)
    const isSettled = async () => {
      if (ear.outstanding() > 0) return false
      const truth = valuesIn((await list(server.client, configMaps, { namespace })).items)
      const copied = new Map([...truth].filter(([name]) => isCopied(name)))
      const made = valuesIn((await list(server.client, configMaps, { namespace: copiesIn })).items)
      return (
        same(truth, valuesIn(maps.cache.list())) && same(copied, made) && same(copied, valuesIn(copies.cache.list()))
      )
    }
    const problems: string[] = []
    const settle = async (round: number): Promise<number> => {
      const began = performance.now()
      await eventually(isSettled, {
        timeoutMs: SETTLE_MS,
        everyMs: 25,
        what: 'cache and copies equal to the server',
      }).catch((error) => problems.push(`round ${round}: ${error.message}; ${ear.outstanding()} changes unseen`))
      return performance.now() - began
    }

    const cleanShare = Math.ceil(changes / 10)
    await writers.make(cleanShare)
    await settle(0)
    const clean = quantiles(ear.takeLatencies())
    say(`${cleanShare} changes without faults: p50 ${clean.p50.toFixed(1)} ms, p99 ${clean.p99.toFixed(1)} ms`)

    const troubles: Record<string, number> = {}
    const count = (name: string) => {
      troubles[name] = (troubles[name] ?? 0) + 1
    }
    const begin = trouble(proxy, seed, betweenMs, count)
    const faultyLatencies: number[] = []
    const held: number[] = []
    let settledMs = 0
    let made = cleanShare
    for (let round = 1; round <= rounds; round++) {
      const end = begin()
      const share = Math.floor(((changes - cleanShare) * round) / rounds) - (made - cleanShare)
      await writers.make(share)
      made += share
      await end()
      settledMs = Math.max(settledMs, await settle(round))
      faultyLatencies.push(...ear.takeLatencies())
      held.push(heldMiB())
      say(`${made} changes, ${account.misses()} found by the periodic list, held ${held.at(-1)!.toFixed(0)} MiB`)
    }

    const before = proxy.seen.at(-1)
    const versions = async () =>
      (await list(server.client, configMaps, { namespace: copiesIn })).items.map(
        ({ metadata }) => metadata.resourceVersion,
      )
    const versionsBefore = await versions()
    const reconciled = account.reconciled()
    const keys = maps.cache.keys()
    for (const key of keys) controller.enqueue(key)
    await eventually(() => account.reconciled() >= reconciled + keys.length, { what: 'a whole resync' })
    const asked = proxy.seen.slice(proxy.seen.lastIndexOf(before!) + 1)
    const writesOnResync = asked.filter(({ method }) => method !== 'GET').length
    if (String(await versions()) !== String(versionsBefore)) problems.push('a resync changed copies')

    return {
      changes: made,
      missed: ear.outstanding() + ear.untold().length + account.misses(),
      wentBack: ear.wentBack(),
      clean,
      faulty: quantiles(faultyLatencies),
      settledMs,
      applied,
      writesOnResync,
      heldMiB: [median(held.slice(0, Math.ceil(held.length / 2))), median(held.slice(-Math.ceil(held.length / 2)))],
      troubles,
      lists: account.lists(),
      problems: [...problems, ...account.errors()],
    }
  } finally {
    over.abort()
    plain.close()
    await proxy.stop()
    await Promise.allSettled(running)
    await server.stop()
  }
}
