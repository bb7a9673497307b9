import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AUDIENCE_LEDGER, SECRET_LEDGER_TLS, SECRET_WEBHOOK_TLS, SERVICE_LEDGER } from '../../lib/api/names.ts'
import { create, find } from '../../lib/kube/objects.ts'
import { secrets, serviceAccounts, services } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { build } from '../../tools/build/bundles.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { type ManagedProcess, startProcess } from '../harness/process.ts'
import { createNamespace, serviceAccountToken } from '../harness/world.ts'
import { createOf, renderChart, SYSTEM_NAMESPACE } from '../webhook/chart.ts'
import { auditPolicy } from './audit.ts'
import type { Ledger } from './streams.ts'

type Name = 'operator' | 'webhook' | 'ledger'

/** What the images give Node, for containers with the chart's limits of memory: 384, 256 and 384 MiB. */
const heap: Record<Name, string[]> = {
  operator: ['--max-old-space-size=230', '--max-semi-space-size=8'],
  webhook: ['--max-old-space-size=153', '--max-semi-space-size=1'],
  ledger: ['--max-old-space-size=230', '--max-semi-space-size=8'],
}

export interface Part {
  pid: number
  /** Asks it to end, and waits; what it says on its way out is in its log. */
  stop(): Promise<void>
}

export interface Installation {
  apiserver: Apiserver
  /** Folder of everything here; removed by `stop`. */
  dir: string
  auditLog: string
  ledger: Ledger & Part
  webhook: Part
  /** Starts an operator and waits until its caches are full; `env` are more of its settings. */
  startOperator(env?: Record<string, string>): Promise<Part>
  /** What a part has logged so far, as objects. */
  log(part: Name): { level: string; msg: string }[]
  stop(): Promise<void>
}

/** A busy machine takes its time, and what a part measured comes with its end. */
const GRACE_MS = 60_000

/** A webhook or ledger is dialled on loopback here, by the names that its certificate has. */
const onLoopback = (service: KubeObject): KubeObject =>
  ({ metadata: service.metadata, spec: { type: 'ExternalName', externalName: 'localhost' } }) as unknown as KubeObject

type Hooks = KubeObject & { webhooks: { clientConfig: { service: { port: number } } }[] }

/**
 * Remit as its chart has it, with the real API server: accounts, roles, admission policies and webhooks, and operator,
 * webhook and ledger as processes of their bundles. What kubelet and kube-proxy would do is done by hand: certificates
 * from their Secrets become files, and Services lead to loopback. The aggregated API of receipts is not there.
 * `profiles` is a folder for a CPU profile of each process.
 */
export const startInstallation = async (profiles?: string): Promise<Installation> => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-scale-'))
  const auditLog = join(dir, 'audit.log')
  writeFileSync(join(dir, 'audit.json'), auditPolicy)
  writeFileSync(auditLog, '')
  const bundles = await build(['operator.mjs', 'webhook.mjs', 'ledger.mjs'], join(dir, 'dist'))
  const apiserver = await startApiserver({
    crds: true,
    args: [
      `--audit-policy-file=${join(dir, 'audit.json')}`,
      `--audit-log-path=${auditLog}`,
      '--audit-log-maxsize=100000',
      // What would take the taint of a new node away, the node lifecycle controller, is not here.
      '--disable-admission-plugins=TaintNodesByCondition',
    ],
  })
  const { client } = apiserver
  const started: ManagedProcess[] = []
  const [webhookPort, ledgerPort, ...healthPorts] = (await freePorts(5)) as [number, number, number, number, number]
  const health: Record<Name, number> = { operator: healthPorts[0], webhook: healthPorts[1], ledger: healthPorts[2] }

  await createNamespace(client, SYSTEM_NAMESPACE)
  const chart = (await renderChart()).filter(({ metadata }) => !metadata.annotations?.['helm.sh/hook'])
  const kind = (name: string) => chart.filter((object) => object.kind === name)
  for (const account of kind('ServiceAccount')) await create(client, serviceAccounts, account as never)
  for (const service of kind('Service'))
    await create(client, services, (service.metadata.name === SERVICE_LEDGER ? service : onLoopback(service)) as never)
  for (const { webhooks } of [
    ...kind('MutatingWebhookConfiguration'),
    ...kind('ValidatingWebhookConfiguration'),
  ] as Hooks[])
    for (const { clientConfig } of webhooks) clientConfig.service.port = webhookPort
  await createOf(client, chart, [
    'ConfigMap',
    'ClusterRole',
    'ClusterRoleBinding',
    'Role',
    'RoleBinding',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
    'MutatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
  ])

  const write = (name: string, text: string) => {
    writeFileSync(join(dir, name), text, { mode: 0o600 })
    return join(dir, name)
  }
  const account = (name: Name) => ({ namespace: SYSTEM_NAMESPACE, name: `remit-${name}` })
  /** Starts a part under its own account and waits until it is ready. */
  const start = async (name: Name, env: Record<string, string>): Promise<Part> => {
    const token = await serviceAccountToken(client, account(name))
    const bundle = bundles.find(({ output }) => output === `${name}.mjs`)!.file
    const running = await startProcess({
      command: process.execPath,
      args: [
        ...heap[name],
        ...(profiles
          ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`]
          : []),
        bundle,
      ],
      logFile: join(dir, `${name}.log`),
      removeOnOrphan: dir,
      env: {
        NODE_ENV: 'production',
        KUBECONFIG: write(`${name}.kubeconfig`, await apiserver.kubeconfig({ token })),
        ...env,
      },
    })
    started.push(running)
    await eventually(async () => (await fetch(`http://127.0.0.1:${health[name]}/readyz`)).ok, {
      timeoutMs: 30_000,
      what: `${name} ready`,
    })
    return { pid: running.pid, stop: () => running.stop(GRACE_MS) }
  }
  /** As the kubelet mounts a Secret, once it is there. */
  const mount = async (name: string) => {
    const { data = {} } = await eventually(() => find(client, secrets, { namespace: SYSTEM_NAMESPACE, name }), {
      timeoutMs: 30_000,
      what: `Secret ${name}`,
    })
    mkdirSync(join(dir, name), { recursive: true })
    for (const [key, value] of Object.entries(data)) write(join(name, key), Buffer.from(value, 'base64').toString())
    return join(dir, name)
  }

  const ledgerToken = await serviceAccountToken(client, account('operator'), { audience: AUDIENCE_LEDGER })
  const startOperator: Installation['startOperator'] = (env = {}) =>
    start('operator', {
      REMIT_SYSTEM_NAMESPACE: SYSTEM_NAMESPACE,
      POD_NAME: 'remit-operator-0',
      REMIT_HEALTH_HOST: '127.0.0.1',
      REMIT_HEALTH_PORT: String(health.operator),
      REMIT_LEDGER_URL: `https://127.0.0.1:${ledgerPort}`,
      REMIT_LEDGER_TOKEN_FILE: write('ledger-token', ledgerToken),
      ...env,
    })

  // The first operator makes keys and certificates, which webhook and ledger wait for.
  const first = await startOperator()
  const webhook = await start('webhook', {
    REMIT_SYSTEM_NAMESPACE: SYSTEM_NAMESPACE,
    REMIT_TLS_DIR: await mount(SECRET_WEBHOOK_TLS),
    REMIT_HOST: '127.0.0.1',
    REMIT_PORT: String(webhookPort),
    REMIT_HEALTH_PORT: String(health.webhook),
    REMIT_DRAIN_MS: '0',
  })
  const ledgerTls = await mount(SECRET_LEDGER_TLS)
  const ledger = await start('ledger', {
    LEDGER_HOST: '127.0.0.1',
    LEDGER_PORT: String(ledgerPort),
    LEDGER_HEALTH_PORT: String(health.ledger),
    LEDGER_DATA: join(dir, 'data'),
    LEDGER_TLS: ledgerTls,
  })
  await first.stop()

  return {
    apiserver,
    dir,
    auditLog,
    webhook,
    ledger: {
      ...ledger,
      port: ledgerPort,
      ca: readFileSync(join(ledgerTls, 'ca.crt'), 'utf8'),
      servername: `${SERVICE_LEDGER}.${SYSTEM_NAMESPACE}.svc`,
    },
    startOperator,
    log: (part) =>
      readFileSync(join(dir, `${part}.log`), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line)),
    stop: async () => {
      for (const each of started.reverse()) await each.stop(3_000)
      await apiserver.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
