import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest'
import { type Client, createClient } from '../../lib/kube/client.ts'
import { loadKubeConfig } from '../../lib/kube/kubeconfig.ts'
import type { KubeMetrics } from '../../lib/kube/metrics.ts'
import { create } from '../../lib/kube/objects.ts'
import { type ConfigMap, configMaps } from '../../lib/kube/resources.ts'
import type { Logger } from '../../lib/kube/types.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { type FaultProxy, startFaultProxy } from '../harness/fault-proxy.ts'
import { createNamespace } from '../harness/world.ts'

export interface World {
  server: Apiserver
  /** Made anew for each test. */
  proxy: FaultProxy
  /** The administrator through the proxy. */
  proxied: Client
  /** Made anew for each test. */
  namespace: string
  /** Aborts when the test ends. */
  signal: AbortSignal
}

/** One API server a test file; a namespace, a proxy and a signal a test. */
export const useWorld = (): World => {
  const world = {} as World
  // They wait for real processes, on machines that do other things too.
  vi.setConfig({ testTimeout: 30_000, hookTimeout: 90_000 })
  let tests = 0
  let over = new AbortController()
  beforeAll(async () => {
    world.server = await startApiserver()
  })
  afterAll(() => world.server?.stop())
  beforeEach(async () => {
    over = new AbortController()
    tests++
    world.signal = over.signal
    world.namespace = await createNamespace(world.server.client, `test-${tests}`)
    const { url, serving, ca } = world.server
    world.proxy = await startFaultProxy({ upstream: url, serving, ca })
    const text = await world.server.kubeconfig({ server: world.proxy.url })
    world.proxied = createClient(loadKubeConfig({ from: 'text', text }))
  })
  afterEach(async () => {
    over.abort()
    world.proxied.close()
    await world.proxy.stop()
  })
  return world
}

export interface Line {
  level: string
  message: string
  fields: Record<string, unknown>
}

/** A logger that keeps its lines. */
export const keepLog = (): { log: Logger; lines: Line[] } => {
  const lines: Line[] = []
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: fields as Record<string, unknown> })
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

/** Counts what a runtime measures. */
export const countMetrics = (): KubeMetrics & { lists: string[]; misses: number; results: string[] } => {
  const counted = {
    lists: [] as string[],
    misses: 0,
    results: [] as string[],
    listed: ({ reason }: { reason?: unknown }) => void counted.lists.push(String(reason)),
    watchEnded: () => {},
    missed: (count: number) => {
      counted.misses += count
    },
    reconciled: (_seconds: number, { result }: { result?: unknown }) => void counted.results.push(String(result)),
    queued: () => {},
  }
  return counted
}

export const makeConfigMap = (client: Client, namespace: string, name: string, value = '1'): Promise<ConfigMap> =>
  create(client, configMaps, { metadata: { name, namespace }, data: { value } })
