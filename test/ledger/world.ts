import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadAll } from 'js-yaml'
import { AUDIENCE_LEDGER, agentObjectName } from '../../lib/api/names.ts'
import type { Remit } from '../../lib/api/remit.ts'
import { signRemit } from '../../lib/core/jws.ts'
import { apply } from '../../lib/kube/apply.ts'
import { create, remove } from '../../lib/kube/objects.ts'
import {
  agentRemits,
  apiServices,
  pods,
  type Resource,
  resource,
  serviceAccounts,
  services,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { createAuthority } from '../harness/pki.ts'
import { freePorts } from '../harness/ports.ts'
import { type ManagedProcess, startProcess } from '../harness/process.ts'
import { createNamespace, createOnce, serviceAccountToken } from '../harness/world.ts'
import { type Chain, newChain } from './chain.ts'
import { type LedgerClient, ledgerClient } from './client.ts'

export const SYSTEM = 'remit-system'
const ACCOUNT = { namespace: SYSTEM, name: 'remit-ledger' }
const main = fileURLToPath(new URL('../../ledger/main.ts', import.meta.url))
const rbac = fileURLToPath(new URL('../../ledger/rbac.yaml', import.meta.url))

export interface Agent {
  namespace: string
  name: string
  id: string
  pod: { name: string; uid: string }
  token: string
  /** A new container start of its sidecar. */
  start(): Chain
}
export interface World {
  apiserver: Apiserver
  port: number
  /** The authority of the ledger's certificate, PEM. */
  caOfLedger: string
  /** Public JWK of the key that signs the remits here, for cluster `test`. */
  anchor: { kty: string; crv: string; x: string; kid: string }
  /** Folder of the ledger's data. */
  data: string
  client: LedgerClient
  agent(namespace: string, name: string): Promise<Agent>
  /** The same agent in a new pod, once the one before is gone. */
  again(agent: Agent): Promise<Agent>
  putRemit(agent: Pick<Agent, 'namespace' | 'name' | 'id'>, generation: number, more?: Partial<Remit>): Promise<void>
  operatorToken(): Promise<string>
  ledger: {
    /** `maxFileKiB` bounds every file it writes, as a full disk would; `heapMiB` its heap, as a container's limit does. */
    start(options?: { maxFileKiB?: number; heapMiB?: number }): Promise<void>
    kill(): Promise<void>
    stop(): Promise<number>
    log(): string
    /** Of the running process. */
    pid(): number
  }
  /** Gives the running ledger a new serving certificate. */
  rotate(): Promise<void>
  grant(namespace: string, user: string, verbs: string[]): Promise<void>
  stop(): Promise<void>
}

const rules = {
  clusterRole: resource<KubeObject>('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', 'Cluster'),
  clusterRoleBinding: resource<KubeObject>(
    'rbac.authorization.k8s.io/v1',
    'ClusterRoleBinding',
    'clusterrolebindings',
    'Cluster',
  ),
  role: resource<KubeObject>('rbac.authorization.k8s.io/v1', 'Role', 'roles'),
  roleBinding: resource<KubeObject>('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
}
const put = (apiserver: Apiserver, kind: Resource<KubeObject>, object: object) =>
  apply(apiserver.client, kind, object as KubeObject, { fieldManager: 'test' })

/** The rights the chart gives it, from the same file. */
const bindLedger = async (apiserver: Apiserver) => {
  const [clusterRole, role] = loadAll(readFileSync(rbac, 'utf8')) as [KubeObject, KubeObject]
  await put(apiserver, rules.clusterRole, clusterRole)
  await put(apiserver, rules.role, role)
  const subjects = [{ kind: 'ServiceAccount', ...ACCOUNT }]
  const ref = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
  await put(apiserver, rules.clusterRoleBinding, {
    metadata: { name: 'remit-ledger' },
    roleRef: ref('ClusterRole', clusterRole.metadata.name),
    subjects,
  })
  await put(apiserver, rules.roleBinding, {
    metadata: { name: 'remit-ledger', namespace: 'kube-system' },
    roleRef: ref('Role', role.metadata.name),
    subjects,
  })
}

const remitOf = (
  agent: Pick<Agent, 'namespace' | 'name' | 'id'>,
  generation: number,
  more: Partial<Remit> = {},
): Remit => ({
  version: 1,
  cluster: 'test',
  agent: {
    id: agent.id,
    namespace: agent.namespace,
    name: agent.name,
    createdBy: { username: 'ana@corp.example', at: '2026-10-05T02:00:00Z' },
  },
  generation,
  epoch: 1,
  issuedAt: '2026-10-05T02:00:00Z',
  owner: { group: 'billing-team', spec: { members: [{ name: 'ana' }], onCall: { owner: 'ana' } } },
  rules: [],
  servers: [],
  models: [],
  egress: { cidrs: [] },
  sources: [],
  ...more,
})

/** A real API server, a real ledger process with the rights of its own account, and agents with real pod-bound tokens. */
export const startWorld = async (): Promise<World> => {
  const apiserver = await startApiserver({ crds: true })
  const dir = mkdtempSync(join(tmpdir(), 'remit-ledger-'))
  const data = join(dir, 'data')
  const logFile = join(dir, 'ledger.log')
  const [port, healthPort] = (await freePorts(2)) as [number, number]
  const authority = await createAuthority('remit')
  mkdirSync(join(dir, 'tls'))
  const rotate = async () => {
    const pair = await authority.issue('remit-ledger', { names: [`remit-ledger.${SYSTEM}.svc`, '127.0.0.1'] })
    writeFileSync(join(dir, 'tls', 'tls.crt'), pair.cert)
    writeFileSync(join(dir, 'tls', 'tls.key'), pair.key, { mode: 0o600 })
  }
  await rotate()
  writeFileSync(logFile, '')

  await createNamespace(apiserver.client, SYSTEM)
  await createOnce(apiserver.client, serviceAccounts, { metadata: ACCOUNT })
  await createOnce(apiserver.client, serviceAccounts, { metadata: { namespace: SYSTEM, name: 'remit-operator' } })
  await bindLedger(apiserver)
  await createOnce(apiserver.client, services, {
    metadata: ACCOUNT,
    spec: { type: 'ExternalName', externalName: 'localhost' },
  } as KubeObject)
  await createOnce(apiserver.client, apiServices, {
    metadata: { name: 'v1alpha1.evidence.remit.dev' },
    spec: {
      group: 'evidence.remit.dev',
      version: 'v1alpha1',
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      service: { ...ACCOUNT, port },
      caBundle: Buffer.from(authority.cert).toString('base64'),
    },
  } as KubeObject)
  const kubeconfig = join(dir, 'kubeconfig')
  writeFileSync(
    kubeconfig,
    await apiserver.kubeconfig({ token: await serviceAccountToken(apiserver.client, ACCOUNT) }),
    { mode: 0o600 },
  )

  const keys = generateKeyPairSync('ed25519')
  const key = { kid: 'test', privateKey: keys.privateKey }
  const anchor = { ...keys.publicKey.export({ format: 'jwk' }), kid: key.kid } as World['anchor']
  const client = ledgerClient({ port, ca: authority.cert, servername: `remit-ledger.${SYSTEM}.svc` })
  let running: ManagedProcess | undefined
  const start = async ({ maxFileKiB, heapMiB }: { maxFileKiB?: number; heapMiB?: number } = {}) => {
    const limit = maxFileKiB === undefined ? 'unlimited' : String(maxFileKiB * 2)
    running = await startProcess({
      command: '/bin/sh',
      args: ['-c', 'ulimit -f "$1"; shift; exec "$@"', 'sh', limit, process.execPath, main],
      logFile,
      env: {
        ...(heapMiB === undefined ? {} : { NODE_OPTIONS: `--max-old-space-size=${heapMiB}` }),
        KUBECONFIG: kubeconfig,
        LEDGER_HOST: '127.0.0.1',
        LEDGER_PORT: String(port),
        LEDGER_HEALTH_PORT: String(healthPort),
        LEDGER_DATA: data,
        LEDGER_TLS: join(dir, 'tls'),
      },
      removeOnOrphan: dir,
    })
    const ready = async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).status === 200
    await eventually(ready, { timeoutMs: 20_000 }).catch((error) => {
      throw new Error(`the ledger is not ready:\n${readFileSync(logFile, 'utf8').slice(-4_000)}`, { cause: error })
    })
  }

  const inPod = async (identity: Pick<Agent, 'namespace' | 'name' | 'id'>): Promise<Agent> => {
    const account = { namespace: identity.namespace, name: agentObjectName(identity.name) }
    const pod = await create(apiserver.client, pods, {
      metadata: { ...account },
      spec: {
        serviceAccountName: account.name,
        automountServiceAccountToken: false,
        containers: [{ name: 'agent', image: 'agent' }],
      },
    } as KubeObject)
    const bound = { name: pod.metadata.name, uid: pod.metadata.uid as string }
    const token = await serviceAccountToken(apiserver.client, account, { audience: AUDIENCE_LEDGER, pod: bound })
    return { ...identity, pod: bound, token, start: () => newChain(identity, bound) }
  }

  return {
    apiserver,
    port,
    caOfLedger: authority.cert,
    anchor,
    data,
    client,
    agent: async (namespace, name) => {
      await createNamespace(apiserver.client, namespace)
      await createOnce(apiserver.client, serviceAccounts, { metadata: { namespace, name: agentObjectName(name) } })
      return inPod({ namespace, name, id: crypto.randomUUID() })
    },
    again: async (agent) => {
      await endPod(apiserver, agent)
      return inPod({ namespace: agent.namespace, name: agent.name, id: agent.id })
    },
    putRemit: async (agent, generation, more) => {
      const { namespace, name } = agent
      const signed = signRemit(remitOf(agent, generation, more), key)
      await apply(apiserver.client, agentRemits, { metadata: { namespace, name }, spec: signed } as KubeObject, {
        fieldManager: 'operator',
      })
    },
    operatorToken: () =>
      serviceAccountToken(
        apiserver.client,
        { namespace: SYSTEM, name: 'remit-operator' },
        { audience: AUDIENCE_LEDGER },
      ),
    ledger: {
      start,
      kill: async () => {
        running?.signal('SIGKILL')
        await running?.exited
      },
      stop: async () => {
        await running?.stop()
        return running?.exited ?? 0
      },
      log: () => readFileSync(logFile, 'utf8'),
      pid: () => running?.pid ?? 0,
    },
    rotate,
    grant: async (namespace, user, verbs) => {
      await put(apiserver, rules.role, {
        metadata: { name: `receipts-${user}`, namespace },
        rules: [{ apiGroups: ['evidence.remit.dev'], resources: ['receipts'], verbs }],
      })
      await put(apiserver, rules.roleBinding, {
        metadata: { name: `receipts-${user}`, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: `receipts-${user}` },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
      })
    },
    stop: async () => {
      client.close()
      await running?.stop(2_000)
      await apiserver.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const endPod = ({ client }: Apiserver, { namespace, pod }: Agent) =>
  remove(client, pods, { namespace, name: pod.name }, { gracePeriodSeconds: 0 })

/** Deletes a pod at once, as the kubelet does when its containers have ended. */
export const deletePod = async (world: World, agent: Agent): Promise<void> => {
  await endPod(world.apiserver, agent)
}
