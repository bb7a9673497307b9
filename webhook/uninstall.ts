import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentIdentity } from '../lib/api/gen/types.ts'
import {
  FINALIZER_AGENT,
  LABEL_AGENT,
  LEASE_OPERATOR,
  SECRET_CA,
  SECRET_LEDGER_TLS,
  SECRET_SIGNING_KEY,
  SECRET_WEBHOOK_TLS,
} from '../lib/api/names.ts'
import type { Client } from '../lib/kube/client.ts'
import { setCondition } from '../lib/kube/conditions.ts'
import { isNotFound } from '../lib/kube/errors.ts'
import { list, mergePatch, remove } from '../lib/kube/objects.ts'
import {
  agentIdentities,
  agentRemits,
  configMaps,
  deployments,
  leases,
  networkPolicies,
  pods,
  type Resource,
  secrets,
  serviceAccounts,
  typed,
} from '../lib/kube/resources.ts'
import type { KubeObject } from '../lib/kube/types.ts'

const PART = 'app.kubernetes.io/name=remit,app.kubernetes.io/component'

export interface UninstallOptions {
  /** Milliseconds for the operator, and then for the agents' pods, to end. */
  timeoutMs?: number
  pollMs?: number
  now?: () => number
}

/**
 * Ends an installation so that nothing is stuck in Terminating afterwards: stops the operator, stops every agent,
 * removes what was made for agents, and releases the AgentIdentities, which stay and say that nobody runs them. Runs as
 * the operator's ServiceAccount before Helm removes the rest. Doing it again is harmless.
 *
 * @throws Error naming the pods that did not end in time; nothing that guards them has been removed then.
 */
export const uninstall = async (
  client: Client,
  systemNamespace: string,
  say: (line: string) => void,
  { timeoutMs = 120_000, pollMs = 1_000, now = Date.now }: UninstallOptions = {},
): Promise<void> => {
  const gone = async (what: string, remaining: () => Promise<KubeObject[]>) => {
    const end = now() + timeoutMs
    for (;;) {
      const left = await remaining()
      if (left.length === 0) return
      if (now() > end) throw new Error(`${what} did not end: ${left.map(nameOf).join(', ')}`)
      await sleep(pollMs)
    }
  }
  const operator = { namespace: systemNamespace, name: 'remit-operator' }
  say('stopping the operator')
  await tolerateMissing(
    mergePatch(client, deployments, { ...operator, subresource: 'scale' }, { spec: { replicas: 0 } }),
  )
  const operatorPods = { namespace: systemNamespace, labelSelector: `${PART}=operator` }
  await gone('the operator', async () => (await list(client, pods, operatorPods)).items)

  const ofAgents = { labelSelector: LABEL_AGENT }
  const agentPods = async () => (await list(client, pods, ofAgents)).items
  for (const pod of await agentPods()) {
    say(`stopping ${nameOf(pod)}`)
    await remove(client, pods, targetOf(pod))
  }
  await gone("agents' pods", agentPods)

  // From here on no agent runs, so what guarded them may go.
  for (const policy of (await list(client, networkPolicies, ofAgents)).items) {
    await tolerateMissing(mergePatch(client, networkPolicies, targetOf(policy), { metadata: { finalizers: null } }))
    await remove(client, networkPolicies, targetOf(policy))
  }
  await removeAll(client, serviceAccounts, LABEL_AGENT)
  await removeAll(client, agentRemits)

  for (const agent of (await list(client, agents)).items) {
    say(`releasing ${nameOf(agent)}`)
    await release(client, agent, now())
  }
  const inSystem = (name: string) => ({ namespace: systemNamespace, name })
  for (const name of [SECRET_CA, SECRET_WEBHOOK_TLS, SECRET_LEDGER_TLS, SECRET_SIGNING_KEY])
    await remove(client, secrets, inSystem(name))
  await remove(client, configMaps, inSystem('remit-trust'))
  await remove(client, leases, inSystem(LEASE_OPERATOR))
  await remove(client, pods, inSystem('remit-test'))
  say('no agent runs any more; AgentIdentities, policies and owner groups are kept')
}

const agents = typed<AgentIdentity & KubeObject>(agentIdentities)
const nameOf = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.namespace}/${metadata.name}`
const targetOf = ({ metadata }: KubeObject) => ({ namespace: metadata.namespace, name: metadata.name })

const removeAll = async (client: Client, kind: Resource, labelSelector?: string) => {
  for (const object of (await list(client, kind, { labelSelector })).items) await remove(client, kind, targetOf(object))
}

const release = async (client: Client, agent: AgentIdentity & KubeObject, now: number) => {
  const condition = {
    type: 'Ready',
    status: 'False',
    reason: 'Uninstalled',
    message: 'Remit was uninstalled from this cluster, so nobody runs this agent.',
  } as const
  const conditions = setCondition(agent.status?.conditions ?? [], condition, now)
  const status = { phase: 'Uninstalled', podName: null, conditions }
  await tolerateMissing(mergePatch(client, agents, { ...targetOf(agent), subresource: 'status' }, { status }))
  const finalizers = agent.metadata.finalizers ?? []
  if (!finalizers.includes(FINALIZER_AGENT)) return
  const kept = finalizers.filter((finalizer) => finalizer !== FINALIZER_AGENT)
  await tolerateMissing(mergePatch(client, agents, targetOf(agent), { metadata: { finalizers: kept } }))
}

const tolerateMissing = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error) => {
    if (!isNotFound(error)) throw error
  })
