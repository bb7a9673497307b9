import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AUDIENCE_LEDGER } from '../../../lib/api/names.ts'
import type { Client } from '../../../lib/kube/client.ts'
import { create, find, get } from '../../../lib/kube/objects.ts'
import { configMaps, endpointSlices, ownerGroups, services } from '../../../lib/kube/resources.ts'
import type { KubeObject } from '../../../lib/kube/types.ts'
import { type Apiserver, startApiserver } from '../../harness/apiserver.ts'
import { eventually } from '../../harness/eventually.ts'
import { freePorts } from '../../harness/ports.ts'
import { startProcess } from '../../harness/process.ts'
import { createNamespace, serviceAccountToken } from '../../harness/world.ts'
import { company, podMade, readAgent } from '../../operator/harness.ts'
import { createOf, renderChart, SYSTEM_NAMESPACE } from '../../webhook/chart.ts'
import { nobody } from '../../webhook/fixtures.ts'
import type { EndOptions } from '../ledger/end.ts'
import { mountSecret } from './mount.ts'
import { startTunnel } from './tunnel.ts'

/** Operator, webhook and ledger as processes with the rights and objects of the chart, below a real API server. */
export interface Installed {
  api: Apiserver
  ports: { webhook: number; ledger: number }
  /** What a sidecar of a new agent is started with. */
  agent: (namespace: string) => Promise<Omit<EndOptions, 'dir' | 'warned'>>
  log: (part: string) => string
  stop: () => Promise<void>
}

const PARTS = ['operator', 'webhook', 'ledger'] as const
const main = (part: string) => fileURLToPath(new URL(`../../../${part}/main.ts`, import.meta.url))

const installChart = async (admin: Client) => {
  await createNamespace(admin, SYSTEM_NAMESPACE)
  const chart = await renderChart()
  await createOf(admin, chart, ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'])
  await createOf(admin, chart, ['ConfigMap', 'Service', 'APIService'])
  await createOf(admin, chart, ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'])
}

/** The API server asks nobody for an aggregated API whose Service has no endpoint; it never dials this one. */
const pretendEndpoint = (admin: Client) =>
  create(admin, endpointSlices, {
    metadata: {
      name: 'remit-ledger',
      namespace: SYSTEM_NAMESPACE,
      labels: { 'kubernetes.io/service-name': 'remit-ledger' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }],
    ports: [{ name: 'https', port: 8443, protocol: 'TCP' }],
  } as KubeObject as never)

/** `seconds`: how long an authority and a certificate live. */
export const install = async (seconds: { authority: number; certificate: number }): Promise<Installed> => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-certificates-'))
  const steps: (() => unknown)[] = [() => rmSync(dir, { recursive: true, force: true })]
  const stop = async () => {
    for (const step of steps.reverse()) await step()
  }
  try {
    const tunnel = await startTunnel(join(dir, 'tunnel'))
    steps.push(tunnel.close)
    writeFileSync(join(dir, 'egress.json'), JSON.stringify(tunnel.config))
    const api = await startApiserver({
      crds: true,
      args: [`--egress-selector-config-file=${join(dir, 'egress.json')}`],
    })
    steps.push(api.stop)
    const admin = api.client
    await installChart(admin)
    await pretendEndpoint(admin)
    const over = new AbortController()
    steps.push(() => over.abort())

    const [webhook, ledger, ...health] = (await freePorts(5)) as [number, number, number, number, number]
    const ports = { webhook, ledger }
    for (const [name, service, port] of [
      ['remit-webhook', 443, webhook],
      ['remit-ledger', 8443, ledger],
    ] as const) {
      const { spec } = await get(admin, services, { namespace: SYSTEM_NAMESPACE, name })
      tunnel.routes.set(`${spec?.clusterIP}:${service}`, port)
    }
    const settings: Record<(typeof PARTS)[number], Record<string, string>> = {
      operator: {
        POD_NAME: 'operator',
        REMIT_HEALTH_HOST: '127.0.0.1',
        REMIT_COUNTERS: 'false',
        REMIT_CA_SECONDS: String(seconds.authority),
        REMIT_CERTIFICATE_SECONDS: String(seconds.certificate),
      },
      webhook: { REMIT_HOST: '127.0.0.1', REMIT_PORT: String(webhook), REMIT_TLS_DIR: join(dir, 'tls-webhook') },
      ledger: {
        LEDGER_HOST: '127.0.0.1',
        LEDGER_PORT: String(ledger),
        LEDGER_TLS: join(dir, 'tls-ledger'),
        LEDGER_DATA: join(dir, 'data'),
      },
    }
    const logOf = (part: string) => join(dir, `${part}.log`)
    const start = async (part: (typeof PARTS)[number], healthPort: number) => {
      const token = await serviceAccountToken(admin, { namespace: SYSTEM_NAMESPACE, name: `remit-${part}` })
      const kubeconfig = join(dir, `${part}.kubeconfig`)
      writeFileSync(kubeconfig, await api.kubeconfig({ token }), { mode: 0o600 })
      const started = await startProcess({
        command: process.execPath,
        args: [main(part)],
        logFile: logOf(part),
        env: {
          KUBECONFIG: kubeconfig,
          REMIT_SYSTEM_NAMESPACE: SYSTEM_NAMESPACE,
          REMIT_HEALTH_PORT: String(healthPort),
          LEDGER_HEALTH_PORT: String(healthPort),
          ...settings[part],
        },
      })
      steps.push(() => started.stop())
      await eventually(async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok, { timeoutMs: 30_000 })
    }
    await start('operator', health[0]!)
    for (const part of ['webhook', 'ledger'] as const) {
      const folder = join(dir, `tls-${part}`)
      mkdirSync(folder)
      await mountSecret(admin, { namespace: SYSTEM_NAMESPACE, name: `remit-${part}-tls` }, folder, over.signal)
    }
    await Promise.all([start('webhook', health[1]!), start('ledger', health[2]!)])

    await eventually(
      async () => {
        const refusal = create(admin, ownerGroups, nobody('default'), { query: { dryRun: 'All' } })
        return (await refusal.then(String, (error) => error.message)).includes('NobodyOnCall')
      },
      { timeoutMs: 20_000, what: 'the webhook asked' },
    )
    const evidence = '/apis/evidence.remit.dev/v1alpha1/receipts'
    await eventually(() => admin.request('GET', evidence, { query: { limit: 1 } }), {
      timeoutMs: 30_000,
      what: 'evidence served',
    })

    const trust = () =>
      eventually(
        async () => (await find(admin, configMaps, { namespace: SYSTEM_NAMESPACE, name: 'remit-trust' }))?.data,
        {
          timeoutMs: 20_000,
          what: 'trust published',
        },
      )
    return {
      api,
      ports,
      agent: async (namespace) => {
        await company(admin, namespace, { agent: {} })
        const pod = await podMade(admin, namespace)
        const { metadata } = await readAgent(admin, namespace)
        const bound = { name: pod.metadata.name, uid: pod.metadata.uid! }
        const account = { namespace, name: 'agent-billing-bot' }
        const token = await serviceAccountToken(admin, account, { audience: AUDIENCE_LEDGER, pod: bound })
        const { cluster = '', ledgerName = '', 'ca.pem': ca = '', 'anchors.json': anchors = '[]' } = await trust()
        return {
          agent: { namespace, name: 'billing-bot', id: metadata.uid!, pod: bound, token },
          url: `https://127.0.0.1:${ledger}`,
          name: ledgerName,
          ca,
          cluster,
          anchors: JSON.parse(anchors),
        }
      },
      log: (part) => readFileSync(logOf(part), 'utf8'),
      stop,
    }
  } catch (error) {
    for (const part of PARTS) {
      try {
        console.error(part, readFileSync(join(dir, `${part}.log`), 'utf8').slice(-2_000))
      } catch {
        // It was not started.
      }
    }
    await stop()
    throw error
  }
}
