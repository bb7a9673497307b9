import type { ClusterAgentPolicy } from '../../lib/api/gen/types.ts'
import { canonical, sha256hex } from '../../lib/core/canonical.ts'
import type { Client } from '../../lib/kube/client.ts'
import { create, get, update } from '../../lib/kube/objects.ts'
import {
  agentIdentities,
  agentPolicies,
  clusterAgentPolicies,
  ownerGroups,
  type Resource,
  services,
  typed,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { createLogger } from '../../lib/service/log.ts'
import { eventually } from '../harness/eventually.ts'
import { createNamespace } from '../harness/world.ts'
import { checkRemits } from './check.ts'
import type { Figures } from './figures.ts'
import { type Installation, startInstallation } from './installation.ts'
import { lists, misses, reconciles, takeMetrics } from './metrics.ts'
import { startNodes } from './nodes.ts'
import { quiet, writesOf } from './quiet.ts'
import { openStreams } from './streams.ts'
import { byOperator, tally } from './tally.ts'
import { clusterPolicy, type Team, teamsOf } from './teams.ts'
import { cpuSeconds, watchMemory } from './usage.ts'
import { watchAgents } from './view.ts'

export interface ScaleOptions {
  agents: number
  namespaces: number
  /** Sidecars that follow their remit at the ledger while a policy is edited. */
  streams: number
  seed: number
  /** How often the operator that starts over compares its caches with full lists, instead of every ten minutes. */
  relistSeconds: number
  say: (line: string) => void
  /** A folder for CPU profiles of the parts. */
  profiles?: string
}

/** Requests of the people who make agents, under way at a time. */
const AT_ONCE = 8
/** Longest that one thing is waited for: far beyond any bar, so that a slow run still tells its figures. */
const patience = (agents: number) => 60_000 + agents * 400
const QUIET_MS = 3_000

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const since = (moment: number, until = performance.now()) => (until - moment) / 1_000

const inTurns = async <T>(items: T[], work: (item: T) => Promise<unknown>) => {
  const rest = items.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of rest) await work(item)
    }),
  )
}

/** Everything that agents need but the agents; tried again until the webhook is known and its caches are full. */
const prepare = async (client: Client, teams: Team[]) => {
  const make = (kind: Resource, object: KubeObject) =>
    eventually(() => create(client, kind, object), { timeoutMs: 30_000, everyMs: 500, what: `${kind.kind} made` })
  await make(clusterAgentPolicies, clusterPolicy('forbidden_0'))
  await inTurns(teams, async ({ namespace, owner, policies, services: all }) => {
    await createNamespace(client, namespace)
    await make(ownerGroups, owner)
    for (const policy of policies) await make(agentPolicies, policy)
    for (const service of all) await make(services as unknown as Resource, service)
  })
}

/** Edits the policy that binds every agent; the digest by which a remit tells that it was compiled from it. */
const editClusterPolicy = async (client: Client): Promise<string> => {
  const kind = typed<ClusterAgentPolicy & KubeObject>(clusterAgentPolicies)
  const edited = clusterPolicy('forbidden_1') as ClusterAgentPolicy & KubeObject
  const { metadata } = await get(client, kind, { name: edited.metadata.name })
  const { spec } = await update(client, kind, { ...edited, metadata })
  return sha256hex(canonical(spec))
}

/**
 * Brings so many agents to life on simulated nodes, edits the policy that binds them all, and starts the operator again;
 * with the chart's admission, everything in processes of its own. The agents are the same for the same seed.
 */
export const measure = async (options: ScaleOptions): Promise<Figures> => {
  const installation = await startInstallation(options.profiles)
  const metrics = await takeMetrics()
  const watching = new AbortController()
  const memory = watchMemory()
  try {
    return await measureIn(installation, { ...options, metrics, memory, signal: watching.signal })
  } finally {
    watching.abort()
    memory.stop()
    metrics.stop()
    await installation.stop()
  }
}

interface Instruments {
  metrics: Awaited<ReturnType<typeof takeMetrics>>
  memory: ReturnType<typeof watchMemory>
  signal: AbortSignal
}

const measureIn = async (installation: Installation, options: ScaleOptions & Instruments): Promise<Figures> => {
  const { apiserver, ledger, webhook } = installation
  const { agents: wanted, say, metrics, memory, signal } = options
  const { client } = apiserver
  const patienceMs = patience(wanted)
  const nodes = await startNodes(apiserver, installation.dir, wanted)
  const teams = teamsOf(options)
  await prepare(client, teams)
  const view = watchAgents(client, createLogger({ part: 'scale', level: 'error' }), signal)
  await view.synced()
  const writes = writesOf(installation.auditLog)
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: metrics.endpoint }
  const operator = await installation.startOperator(env)
  for (const [name, { pid }] of Object.entries({ operator, ledger, webhook })) memory.add(name, pid)
  await quiet(operator.pid, writes, 1_000)
  say(`${nodes.count} nodes, ${teams.length} namespaces; making ${wanted} agents`)

  writes.take()
  const cpuBefore = {
    operator: cpuSeconds(operator.pid),
    ledger: cpuSeconds(ledger.pid),
    webhook: cpuSeconds(webhook.pid),
  }
  const start = performance.now()
  const goals = Promise.all([
    view.remits(wanted, patienceMs),
    view.running(wanted, patienceMs),
    view.ready(wanted, patienceMs),
  ])
  // No company grows team after team: each makes its next agent in turn.
  const turns = teams.flatMap((team) => team.agents.map((agent, turn) => ({ agent, turn })))
  await inTurns(
    turns.sort((a, b) => a.turn - b.turn),
    ({ agent }) => create(client, agentIdentities, agent),
  )
  const created = since(start)
  say(`stored after ${created.toFixed(1)} s`)
  const [remits, running, ready] = (await goals).map((moment) => since(start, moment)) as [number, number, number]
  say(`ready after ${ready.toFixed(1)} s`)
  const cpu = {
    operator: cpuSeconds(operator.pid) - cpuBefore.operator,
    ledger: cpuSeconds(ledger.pid) - cpuBefore.ledger,
    webhook: cpuSeconds(webhook.pid) - cpuBefore.webhook,
  }
  await quiet(operator.pid, writes, QUIET_MS)
  const converging = writes.take()

  const streams = await openStreams(apiserver, ledger, options.streams)
  await quiet(operator.pid, writes, 1_000)
  writes.take()
  const edited = performance.now()
  const source = await editClusterPolicy(client)
  const [lastRemit, told] = await Promise.all([
    view.remits(wanted, patienceMs, source),
    streams.told(source, patienceMs),
  ])
  await quiet(operator.pid, writes, QUIET_MS)
  streams.close()
  const editing = writes.take()
  say(`edit told after ${since(edited, lastRemit).toFixed(1)} s`)
  const problems = await checkRemits(client)
  await operator.stop()
  const first = metrics.last()

  metrics.forget()
  writes.take()
  const again = await installation.startOperator({ ...env, REMIT_RELIST_SECONDS: String(options.relistSeconds) })
  memory.add('operator', again.pid)
  const restarted = performance.now()
  const calm = await quiet(again.pid, writes, QUIET_MS)
  // One list in a tenth more than the time given.
  await sleep(Math.max(0, options.relistSeconds * 1_100 + QUIET_MS - (performance.now() - restarted)))
  const resyncing = writes.take()
  await again.stop()
  const second = metrics.last()
  await nodes.stop()

  return {
    agents: wanted,
    seconds: { created, remits, running, ready },
    cpu,
    reconciles: reconciles(first, 'agents'),
    writes: { operator: tally(byOperator(converging)), everybody: converging.length },
    edit: {
      remits: since(edited, lastRemit),
      told: told.map((moment) => since(edited, moment)),
      writes: tally(byOperator(editing)),
    },
    resync: {
      seconds: since(restarted, calm),
      reconciles: reconciles(second, 'agents').success ?? 0,
      lists: lists(second, 'periodic'),
      writes: tally(byOperator(resyncing)),
    },
    memory: { operator: memory.peak('operator'), ledger: memory.peak('ledger'), webhook: memory.peak('webhook') },
    problems: [...problems, ...complaints(installation), ...missedOf(misses(first) + misses(second))],
  }
}

const missedOf = (count: number): string[] => (count > 0 ? [`the operator's watches missed ${count} changes`] : [])

/** What parts logged as errors. */
const complaints = (installation: Installation): string[] =>
  (['operator', 'webhook', 'ledger'] as const).flatMap((part) =>
    installation
      .log(part)
      .filter(({ level }) => level === 'error')
      .map(({ msg }) => `${part} logged an error: ${msg}`),
  )
