import { readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import type { AgentIdentity, AgentPolicy, AgentRemit, OwnerGroup } from '../../lib/api/gen/types.ts'
import { SERVICE_LEDGER } from '../../lib/api/names.ts'
import type { Client } from '../../lib/kube/client.ts'
import { create, find, get, mergePatch } from '../../lib/kube/objects.ts'
import {
  type NetworkPolicy,
  networkPolicies,
  type Pod,
  pods,
  resource,
  serviceAccounts,
  services,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { createLogger } from '../../lib/service/log.ts'
import { kinds } from '../../operator/caches.ts'
import { config as readConfig } from '../../operator/config.ts'
import { createOperator } from '../../operator/run.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { createNamespace, serviceAccountToken } from '../harness/world.ts'

export const SYSTEM = 'remit-system'
/** Terms short enough for a test. */
export const quick = {
  REMIT_LEASE_SECONDS: '3',
  REMIT_RENEW_MS: '2000',
  REMIT_RETRY_MS: '200',
  REMIT_COUNTERS: 'false',
  REMIT_LOG_LEVEL: process.env.REMIT_TEST_LOG ?? 'silent',
}

export const startOperator = (client: Client, env: Record<string, string> = {}) => {
  const config = readConfig({ ...quick, REMIT_SYSTEM_NAMESPACE: SYSTEM, POD_NAME: 'operator-a', ...env })
  const log = createLogger({ part: config.podName, level: config.logLevel })
  const operator = createOperator({ client, config, log })
  const stop = new AbortController()
  const running = operator.run(stop.signal)
  return {
    operator,
    stop: async () => {
      stop.abort()
      await running
    },
  }
}

const roles = readFileSync(new URL('../../operator/rbac.yaml', import.meta.url), 'utf8')

/** The operator's ServiceAccount with the rights of operator/rbac.yaml and no others, as the chart binds them. */
const operatorClient = async (apiserver: Apiserver): Promise<Client> => {
  const { client } = apiserver
  const account = { name: 'remit-operator', namespace: SYSTEM }
  await create(client, serviceAccounts, { metadata: account })
  for (const role of loadAll(roles) as KubeObject[]) {
    const scope = role.metadata.namespace ? 'Namespaced' : 'Cluster'
    const group = 'rbac.authorization.k8s.io/v1'
    const kind = role.kind ?? ''
    await create(client, resource(group, kind, `${kind.toLowerCase()}s`, scope), role)
    const binding = {
      metadata: { name: role.metadata.name, namespace: role.metadata.namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role.metadata.name },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    }
    await create(
      client,
      resource(group, `${kind}Binding`, `${kind.toLowerCase()}bindings`, scope),
      binding as KubeObject,
    )
  }
  return apiserver.clientWithToken(await serviceAccountToken(client, account))
}

/** A real API server with the kinds of Remit and what the chart would have made; `operatorClient` is the operator's. */
export const startCluster = async (): Promise<Apiserver & { operatorClient: Client }> => {
  const apiserver = await startApiserver({ crds: true })
  const { client } = apiserver
  await createNamespace(client, SYSTEM)
  await create(client, services, {
    metadata: { name: SERVICE_LEDGER, namespace: SYSTEM },
    spec: {
      selector: { 'app.kubernetes.io/name': 'remit', 'app.kubernetes.io/component': 'ledger' },
      ports: [{ name: 'https', port: 8443, targetPort: 8443 as never }],
    },
  })
  return Object.assign(apiserver, { operatorClient: await operatorClient(apiserver) })
}

const apiVersion = 'remit.dev/v1alpha1'
export const owner = (namespace: string, spec: Partial<OwnerGroup['spec']> = {}) => ({
  apiVersion,
  kind: 'OwnerGroup',
  metadata: { name: 'billing-team', namespace },
  spec: { members: [{ name: 'ana' }, { name: 'bo' }], onCall: { owner: 'ana' }, ...spec },
})
export const policy = (namespace: string, spec: Partial<AgentPolicy['spec']> = {}) => ({
  apiVersion,
  kind: 'AgentPolicy',
  metadata: { name: 'billing', namespace },
  spec: {
    mode: 'Enforce',
    tools: [{ name: 'read', match: { servers: ['billing'], tools: ['get_*'] }, effect: 'Allow' }],
    ...spec,
  },
})
export const agent = (namespace: string, spec: Record<string, unknown> = {}, name = 'billing-bot') => ({
  apiVersion,
  kind: 'AgentIdentity',
  metadata: { name, namespace },
  spec: {
    ownerRef: { name: 'billing-team' },
    policyRefs: [{ name: 'billing' }],
    workload: { image: 'registry.example/billing-bot:1' },
    servers: [{ name: 'billing', service: { name: 'billing-mcp', port: 8080, path: '/mcp' } }],
    createdBy: { username: 'ana@corp.example', at: '2026-11-21T02:00:00Z' },
    ...spec,
  },
})
const billingService = (namespace: string) => ({
  metadata: { name: 'billing-mcp', namespace },
  spec: { selector: { app: 'billing-mcp' }, ports: [{ name: 'mcp', port: 8080, targetPort: 'http' as never }] },
})

export type Kind = keyof typeof kinds
export const make = (client: Client, kind: Kind, object: object) =>
  create(client, kinds[kind] as never, object as KubeObject)

/** A namespace with a team, a policy and a Service; the agent only when asked for. */
export const company = async (client: Client, namespace: string, parts: { agent?: Record<string, unknown> } = {}) => {
  await createNamespace(client, namespace)
  await create(client, services, billingService(namespace))
  await make(client, 'owners', owner(namespace))
  await make(client, 'policies', policy(namespace))
  if (parts.agent) await make(client, 'agents', agent(namespace, parts.agent))
}

export const readAgent = (client: Client, namespace: string, name = 'billing-bot') =>
  get(client, kinds.agents, { namespace, name }) as Promise<AgentIdentity & KubeObject>
export const findAgent = (client: Client, namespace: string, name = 'billing-bot') =>
  find(client, kinds.agents, { namespace, name }) as Promise<(AgentIdentity & KubeObject) | undefined>
export const readRemit = (client: Client, namespace: string, name = 'billing-bot') =>
  find(client, kinds.remits, { namespace, name }) as Promise<(AgentRemit & KubeObject) | undefined>
export const findPod = (client: Client, namespace: string, name = 'agent-billing-bot') =>
  find(client, pods, { namespace, name })
export const findFence = (client: Client, namespace: string, name = 'agent-billing-bot') =>
  find(client, networkPolicies, { namespace, name })

export const ready = async (client: Client, namespace: string, reason: string, name = 'billing-bot') =>
  eventually(
    async () => {
      const { status } = await readAgent(client, namespace, name)
      const condition = status?.conditions?.find(({ type }) => type === 'Ready')
      if (condition?.reason !== reason)
        throw new Error(`Ready is ${condition?.reason}, not ${reason}: ${condition?.message}`)
      return condition
    },
    { timeoutMs: 15_000 },
  )

/** Plays the scheduler and the kubelet: the pod is bound to a node and its containers are in the states given. */
export const bind = async (client: Client, pod: Pod) => {
  const { namespace, name } = pod.metadata
  await client.request('POST', `/api/v1/namespaces/${namespace}/pods/${name}/binding`, {
    body: { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { kind: 'Node', name: 'node-1' } },
  })
}
export const kubelet = (client: Client, pod: Pod, status: object) =>
  mergePatch(
    client,
    pods,
    { namespace: pod.metadata.namespace, name: pod.metadata.name, subresource: 'status' },
    { status },
  )

const containers = (state: object, sidecar: object = { running: { startedAt: '2026-11-21T02:00:00Z' } }) => ({
  initContainerStatuses: [
    {
      name: 'remit-sidecar',
      image: 'sidecar',
      imageID: '',
      ready: true,
      restartCount: 0,
      started: true,
      state: sidecar,
    },
  ],
  containerStatuses: [
    { name: 'agent', image: 'registry.example/billing-bot:1', imageID: '', ready: true, restartCount: 0, state },
  ],
})
export const running = { phase: 'Running', ...containers({ running: { startedAt: '2026-11-21T02:00:00Z' } }) }
export const waiting = (reason: string, message: string) => ({
  phase: 'Pending',
  ...containers({ waiting: { reason, message } }),
})
export const terminated = (exitCode: number, finishedAt: string, startedAt = finishedAt) => ({
  phase: exitCode === 0 ? 'Succeeded' : 'Failed',
  ...containers({ terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt, finishedAt } }),
})

/** The kubelet's last act: the pod has ended and goes. */
export const finish = async (client: Client, pod: Pod) => {
  const { namespace, name } = pod.metadata
  await client.request('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`, { body: { gracePeriodSeconds: 0 } })
}

export const podMade = (client: Client, namespace: string, name = 'agent-billing-bot', not?: string): Promise<Pod> =>
  eventually(
    async () => {
      const pod = await findPod(client, namespace, name)
      return pod && pod.metadata.uid !== not && !pod.metadata.deletionTimestamp ? pod : undefined
    },
    { timeoutMs: 15_000, what: `pod ${namespace}/${name}` },
  )

export const egressOf = (fence: NetworkPolicy | undefined) => fence?.spec?.egress ?? []
