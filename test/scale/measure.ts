import type { Client } from '../../lib/kube/client.ts'
import { create } from '../../lib/kube/objects.ts'
import { agentPolicies, clusterAgentPolicies, ownerGroups, type Resource, services } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { createLogger } from '../../lib/service/log.ts'
import { eventually } from '../harness/eventually.ts'
import { createNamespace } from '../harness/world.ts'
import { checkRemits } from './check.ts'
import { converge } from './converge.ts'
import { edit } from './edit.ts'
import type { Figures } from './figures.ts'
import { type Installation, startInstallation } from './installation.ts'
import { misses, reconciles, takeMetrics } from './metrics.ts'
import { startNodes } from './nodes.ts'
import { quiet, writesOf } from './quiet.ts'
import { resync } from './resync.ts'
import { inTurns, type Run, type ScaleOptions } from './run.ts'
import { clusterPolicy, type Team, teamsOf } from './teams.ts'
import { watchMemory } from './usage.ts'
import { watchAgents } from './view.ts'

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

/** What parts logged as errors. */
const complaints = (installation: Installation): string[] =>
  (['operator', 'webhook', 'ledger'] as const).flatMap((part) =>
    installation
      .log(part)
      .filter(({ level }) => level === 'error')
      .map(({ msg }) => `${part} logged an error: ${msg}`),
  )

const measureIn = async (run: Run): Promise<Figures> => {
  const { options, installation, metrics, memory, writes } = run
  const { client } = installation.apiserver
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: metrics.endpoint }
  await prepare(client, run.teams)
  await run.view.synced()
  const operator = await installation.startOperator(env)
  const { ledger, webhook } = installation
  for (const [name, { pid }] of Object.entries({ operator, ledger, webhook })) memory.add(name, pid)
  await quiet(operator.pid, writes, 1_000)
  options.say(`making ${options.agents} agents in ${run.teams.length} namespaces`)

  const converged = await converge(run, operator)
  const edited = await edit(run, operator)
  const wrong = await checkRemits(client)
  await operator.stop()
  const told = metrics.last()
  const missed = misses(told)
  const resynced = await resync(run, env)
  return {
    agents: options.agents,
    ...converged,
    reconciles: reconciles(told, 'agents'),
    edit: edited,
    resync: resynced,
    memory: { operator: memory.peak('operator'), ledger: memory.peak('ledger'), webhook: memory.peak('webhook') },
    problems: [...wrong, ...complaints(installation), ...(missed > 0 ? [`watches missed ${missed} changes`] : [])],
  }
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
  const ends: (() => Promise<void> | void)[] = [installation.stop, metrics.stop, memory.stop, () => watching.abort()]
  try {
    const { apiserver, auditLog, dir } = installation
    const nodes = await startNodes(apiserver, dir, options.agents)
    ends.push(nodes.stop)
    const view = watchAgents(apiserver.client, createLogger({ part: 'scale', level: 'error' }), watching.signal)
    const teams = teamsOf(options)
    return await measureIn({ options, installation, teams, view, writes: writesOf(auditLog), metrics, memory })
  } finally {
    for (const end of ends.reverse()) await end()
  }
}
