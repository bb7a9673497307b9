import { request } from 'node:https'
import type { AgentIdentity } from '../lib/api/gen/types.ts'
import { type Counters, LEDGER_PATHS } from '../lib/api/ledger.ts'
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
  /** Fetches the counters of all agents; see `fetchCounters`. */
  fetch: (signal: AbortSignal) => Promise<Counters>
}

const MAX_BYTES = 64 * 1024 * 1024
/** After an attempt that gave nothing, such as the first ones while the ledger starts. */
const RETRY_MS = 5_000

/** GET /v1/counters over TLS, the ledger's name checked whatever address it is dialled by. */
export const fetchCounters = (
  options: { url: string; servername: string; ca: string; token: string; timeoutMs?: number },
  signal: AbortSignal,
): Promise<Counters> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      `${options.url}${LEDGER_PATHS.counters}`,
      {
        ca: options.ca,
        servername: options.servername,
        headers: { authorization: `Bearer ${options.token}`, accept: 'application/json' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs ?? 10_000)]),
      },
      (answer) => {
        const chunks: Buffer[] = []
        let bytes = 0
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > MAX_BYTES) outgoing.destroy(new Error('the ledger answered more than 64 MiB'))
          else chunks.push(chunk)
        })
        answer.on('error', reject)
        answer.on('end', () => {
          if (answer.statusCode !== 200) return reject(new Error(`the ledger answered ${answer.statusCode}`))
          try {
            resolve(parseCounters(JSON.parse(Buffer.concat(chunks).toString())))
          } catch (error) {
            reject(error)
          }
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })

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
      const counters = await options.fetch(signal)
      for (const agent of caches.agents.cache.list()) await write(options, agent, counters, signal)
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'counters not taken over')
      pauseMs = Math.min(everyMs, RETRY_MS)
    }
    await sleep(clock, pauseMs, signal)
  }
}
