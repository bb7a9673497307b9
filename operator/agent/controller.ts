import { SERVICE_LEDGER } from '../../lib/api/names.ts'
import type { Client } from '../../lib/kube/client.ts'
import { type Controller, createController, type Source, saysAnother, source } from '../../lib/kube/controller.ts'
import type { EventRecorder } from '../../lib/kube/events.ts'
import type { Informer } from '../../lib/kube/informer.ts'
import type { KubeMetrics } from '../../lib/kube/metrics.ts'
import { type KubeObject, keyOf, type Logger, splitKey } from '../../lib/kube/types.ts'
import { byAgent, type Caches, serviceOf } from '../caches.ts'
import type { Freezes } from '../freezes.ts'
import { createAhead } from './ahead.ts'
import { applyPlan, type Done, writeStatus } from './apply.ts'
import { decideAgent, type Plan } from './decide.ts'
import { gather } from './gather.ts'
import type { Hands } from './ground.ts'
import { tellChange } from './tell.ts'
import type { Trust, World } from './world.ts'

export interface AgentControllerOptions {
  client: Client
  caches: Caches
  events: EventRecorder
  log: Logger
  metrics?: KubeMetrics
  now: () => number
  systemNamespace: string
  epoch: number
  trust: () => Trust | undefined
  /** Names every agent when the trust changes. */
  trustChanges: (listener: () => void) => () => void
  /** The first reconcile waits for it. */
  trustLookedFor: { synced(): Promise<void> }
  freezes: Freezes
}

/** setTimeout cannot wait longer than 24.8 days, and clocks are set. */
const LONGEST_MS = 3_600_000

/** First the account, then the pod that stands on it, then a status that tells of it. */
const ROUNDS = 3

/** Decides and applies, and goes on from what that made without waiting to see it in a cache. */
const advance = async (hands: Hands, world: World, round = 1): Promise<Done & { plan: Plan; made: World }> => {
  const plan = decideAgent(world)
  const { world: made, refused } = await applyPlan(hands, world, plan)
  const further = made.accounts !== world.accounts || made.pods !== world.pods
  return further && !refused && round < ROUNDS ? advance(hands, made, round + 1) : { world, made, plan, refused }
}

/** What is in one world and not in the other: objects as the API server answered them. */
const newIn = (made: World, before: World): KubeObject[] =>
  (['accounts', 'fences', 'remits', 'pods'] as const).flatMap((list) =>
    (made[list] as KubeObject[]).filter((object) => !(before[list] as KubeObject[]).includes(object)),
  )

const sources = ({ caches, systemNamespace, trustChanges, freezes }: AgentControllerOptions): Source[] => {
  const { agents } = caches
  const all = () => agents.cache.keys()
  const index = (name: string) => (object: KubeObject) => agents.cache.byIndex(name, keyOf(object)).map(keyOf)
  const labelled = (informer: unknown) => source(informer as Informer<KubeObject>, byAgent)
  const byService = (key: string) =>
    key === `${systemNamespace}/${SERVICE_LEDGER}` ? all() : agents.cache.byIndex('service', key).map(keyOf)
  return [
    source(agents),
    source(caches.owners, index('owner'), saysAnother),
    source(caches.policies, index('policy'), saysAnother),
    source(caches.clusterPolicies, all, saysAnother),
    source(caches.services, (service) => byService(keyOf(service))),
    source(caches.slices, (slice) => serviceOf(slice).flatMap(byService)),
    source(caches.runtimeClasses, ({ metadata }) => agents.cache.byIndex('runtimeClass', metadata.name).map(keyOf)),
    source(caches.warnings, (event) => {
      const { namespace, name } = event.involvedObject ?? {}
      return (caches.pods.cache.get(`${namespace}/${name}`) ? [`${namespace}/${name}`] : []).flatMap((key) =>
        byAgent(caches.pods.cache.get(key)!),
      )
    }),
    ...[caches.pods, caches.accounts, caches.fences].map(labelled),
    // Its name is the agent's; its labels may have been edited away.
    source(caches.remits),
    {
      synced: async () => {},
      start: (add) =>
        trustChanges(() => {
          for (const key of all()) add(key)
        }),
    },
    {
      synced: async () => {},
      start: (add) =>
        freezes.onChange((ids) => {
          for (const id of ids) for (const agent of agents.cache.byIndex('uid', id)) add(keyOf(agent))
        }),
    },
  ]
}

/** Brings each agent's ServiceAccount, fence, remit and pod to what its AgentIdentity says. */
export const createAgentController = (options: AgentControllerOptions): Controller => {
  const ahead = createAhead(options.caches, options.now)
  return createController({
    name: 'agents',
    log: options.log,
    metrics: options.metrics,
    // Before the others, whose keys are only worth naming after it.
    sources: [ahead.source, ...sources(options)],
    waitFor: [options.caches.nodes, options.trustLookedFor],
    concurrency: 8,
    reconcile: async (key, { log, signal }) => {
      const { namespace = '', name } = splitKey(key)
      const hands = { client: options.client, signal, log }
      const behind = ahead.behindFor(key)
      if (behind > 0) return { requeueAfterMs: behind }
      const before = gather(options, namespace, name)
      const { world, made, plan, refused } = await advance(hands, before)
      ahead.wrote(key, newIn(made, before))
      const status = refused?.status ?? plan.status
      if (status && world.agent) {
        const written = await writeStatus(hands, world, status)
        if (written) {
          ahead.wrote(key, [written])
          tellChange(options.events, world, status)
        }
      }
      if (refused) throw refused.error
      if (plan.lookAgainAt === undefined) return undefined
      return { requeueAfterMs: Math.min(Math.max(plan.lookAgainAt - options.now(), 1), LONGEST_MS) }
    },
  })
}
