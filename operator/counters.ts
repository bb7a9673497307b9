import type { AgentIdentity } from '../lib/api/gen/types.ts'
import type { Counters } from '../lib/api/ledger.ts'
import { applyIfChanged, type Desired } from '../lib/kube/apply.ts'
import type { Client } from '../lib/kube/client.ts'
import { type Clock, sleep } from '../lib/kube/clock.ts'
import type { Resource } from '../lib/kube/resources.ts'
import type { KubeObject, Logger } from '../lib/kube/types.ts'
import { type Caches, FIELD_MANAGER_COUNTERS, kinds } from './caches.ts'

export interface CountersOptions {
  client: Client
  caches: Caches
  log: Logger
  clock: Clock
  everyMs: number
  /** GET /v1/counters */
  fetch: (signal: AbortSignal) => Promise<unknown>
}

/** After an attempt that gave nothing, such as the first ones while the ledger starts. */
const RETRY_MS = 5_000

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** What is not as the wire says would only be refused by the status's schema, agent by agent. */
export const parseCounters = (value: unknown): Counters => {
  const agents = (value as Counters | null)?.agents
  if (typeof agents !== 'object' || agents === null) throw new Error('the ledger answered no counters')
  const good = Object.entries(agents).filter(([, each]) => isCount(each?.calls) && isCount(each?.denied))
  return { agents: Object.fromEntries(good) }
}

const write = async (
  { client, caches }: CountersOptions,
  agent: AgentIdentity,
  counters: Counters,
  signal: AbortSignal,
) => {
  const mine = counters.agents[agent.metadata.uid ?? '']
  if (!mine || agent.metadata.deletionTimestamp) return
  const { namespace, name, uid } = agent.metadata
  const at = mine.lastAction ? Date.parse(mine.lastAction.at) : Number.NaN
  const lastAction = Number.isNaN(at) ? {} : { lastAction: new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z') }
  const desired = {
    metadata: { namespace, name, uid },
    status: { calls: mine.calls, denied: mine.denied, ...lastAction },
  }
  const cached = caches.agents.cache.get(`${namespace}/${name}`) as KubeObject | undefined
  await applyIfChanged<KubeObject>(
    client,
    kinds.agents as unknown as Resource,
    desired as Desired<KubeObject>,
    cached,
    {
      fieldManager: FIELD_MANAGER_COUNTERS,
      subresource: 'status',
      signal,
    },
  )
}

/** Once in `everyMs`: what each agent has done, from the ledger into its status; only where it changed. */
export const runCounters = async (options: CountersOptions, signal: AbortSignal): Promise<void> => {
  const { caches, log, clock, everyMs } = options
  await caches.agents.synced().catch(() => undefined)
  while (!signal.aborted) {
    let pauseMs = everyMs
    try {
      const counters = parseCounters(await options.fetch(signal))
      for (const agent of caches.agents.cache.list()) await write(options, agent, counters, signal)
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'counters not taken over')
      pauseMs = Math.min(everyMs, RETRY_MS)
    }
    await sleep(clock, pauseMs, signal)
  }
}
