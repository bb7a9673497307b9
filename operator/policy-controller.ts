import type { AgentIdentity, AgentPolicy, ClusterAgentPolicy } from '../lib/api/gen/types.ts'
import { checkPolicy } from '../lib/core/policy-check.ts'
import type { Client } from '../lib/kube/client.ts'
import { createController, type Source, saysAnother, source } from '../lib/kube/controller.ts'
import { gathered } from '../lib/kube/gathered.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeMetrics } from '../lib/kube/metrics.ts'
import type { Resource } from '../lib/kube/resources.ts'
import { type KubeObject, keyOf, type Logger } from '../lib/kube/types.ts'
import { sayProblems } from './agent/verdict.ts'
import type { Caches } from './caches.ts'
import { writeSimpleStatus } from './status.ts'

export interface PolicyControllerOptions {
  client: Client
  caches: Caches
  log: Logger
  metrics?: KubeMetrics
  now: () => number
  name: string
  kind: Resource
  scope: 'Namespace' | 'Cluster'
  policies: Informer<(AgentPolicy | ClusterAgentPolicy) & KubeObject>
}

/** How late a count of agents may be: a company that makes a thousand agents does not want it written a thousand times. */
const COUNTED = { ms: 1_000, mostMs: 30_000 }

/** Keeps the status of policies: whether they can be enforced as written, and how many agents obey them. */
export const createPolicyController = (options: PolicyControllerOptions) => {
  const { caches, policies, scope } = options
  const agents = (key: string) =>
    scope === 'Cluster' ? caches.agents.cache.size : caches.agents.cache.byIndex('policy', key).length
  const concerned = (agent: AgentIdentity & KubeObject) =>
    scope === 'Cluster'
      ? policies.cache.keys()
      : agent.spec.policyRefs.map(({ name }) => `${agent.metadata.namespace}/${name}`)
  // Only which policies an agent names matters here, not what happens to it meanwhile.
  const byAgents: Source = source(
    caches.agents,
    concerned,
    ({ old, new: now }) => !old || !now || old.metadata.generation !== now.metadata.generation,
  )
  return createController({
    name: options.name,
    log: options.log,
    metrics: options.metrics,
    // Not by a status: each that is written would have the next count written at once.
    sources: [source(policies, undefined, saysAnother), gathered(byAgents, COUNTED)],
    concurrency: 1,
    reconcile: async (key, { signal }) => {
      const policy = policies.cache.get(key)
      if (!policy || policy.metadata.deletionTimestamp) return
      const problems = checkPolicy(policy.spec, scope)
      const condition =
        problems.length > 0
          ? { type: 'Accepted', status: 'False' as const, ...sayProblems(problems) }
          : { type: 'Accepted', status: 'True' as const, reason: 'Accepted', message: 'Enforced as written.' }
      const { tools = [], resources = [], prompts = [], requests = [], guards = [], invariants = [] } = policy.spec
      const rules = [tools, resources, prompts, requests, guards, invariants].flat().length
      const fields = { agents: agents(keyOf(policy)), rules }
      const write = { client: options.client, kind: options.kind, signal, now: options.now() }
      await writeSimpleStatus(write, policy, fields, condition)
    },
  })
}
