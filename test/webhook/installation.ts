import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { create } from '../../lib/kube/objects.ts'
import { configMaps, ownerGroups, serviceAccounts } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { type ManagedProcess, startProcess } from '../harness/process.ts'
import { createNamespace, serviceAccountToken } from '../harness/world.ts'
import { createOf, renderChart, SYSTEM_NAMESPACE } from './chart.ts'
import { nobody } from './fixtures.ts'

const main = fileURLToPath(new URL('../../webhook/main.ts', import.meta.url))

/** The webhook as its own process with the rights the chart gives it, called by a real API server. */
export interface Installation {
  api: Apiserver
  port: number
  webhook: ManagedProcess
  restartWebhook: () => Promise<void>
  stop: () => Promise<void>
}

export const startInstallation = async (): Promise<Installation> => {
  const api = await startApiserver({ crds: true })
  const admin = api.client
  const dir = mkdtempSync(join(tmpdir(), 'remit-webhook-'))
  const [port, healthPort] = (await freePorts(2)) as [number, number]
  await createNamespace(admin, SYSTEM_NAMESPACE)
  for (const name of ['remit-webhook', 'remit-operator'])
    await create(admin, serviceAccounts, { metadata: { name, namespace: SYSTEM_NAMESPACE } })
  const chart = await renderChart()
  const ours = chart.filter(({ metadata }) => ['remit-webhook', 'remit-edit', 'remit-view'].includes(metadata.name))
  await createOf(admin, ours, ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'])
  await createOf(admin, chart, ['ConfigMap'])
  // What the operator publishes.
  await create(admin, configMaps, {
    metadata: { name: 'remit-trust', namespace: SYSTEM_NAMESPACE },
    data: {
      cluster: 'c0ffee',
      ledgerURL: 'https://10.96.0.9:8443',
      ledgerName: 'remit-ledger.remit-system.svc',
      'ca.pem': 'PEM',
      'anchors.json': '[]',
    },
  })
  const token = await serviceAccountToken(admin, { namespace: SYSTEM_NAMESPACE, name: 'remit-webhook' })
  writeFileSync(join(dir, 'kubeconfig'), await api.kubeconfig({ token }), { mode: 0o600 })
  writeFileSync(join(dir, 'tls.crt'), api.serving.cert)
  writeFileSync(join(dir, 'tls.key'), api.serving.key, { mode: 0o600 })
  const startWebhook = async (): Promise<ManagedProcess> => {
    const env = {
      KUBECONFIG: join(dir, 'kubeconfig'),
      REMIT_TLS_DIR: dir,
      REMIT_HOST: '127.0.0.1',
      REMIT_PORT: String(port),
      REMIT_HEALTH_PORT: String(healthPort),
      REMIT_DRAIN_MS: '100',
    }
    const started = await startProcess({
      command: process.execPath,
      args: [main],
      logFile: join(dir, 'log'),
      removeOnOrphan: dir,
      env,
    })
    await eventually(async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok, { timeoutMs: 20_000 })
    return started
  }
  const installation: Installation = {
    api,
    port,
    webhook: await startWebhook(),
    restartWebhook: async () => {
      installation.webhook = await startWebhook()
    },
    stop: async () => {
      await installation.webhook.stop()
      await api.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  // The chart's configurations, reached by address: there is no Service network here.
  const configurations = chart.filter(({ kind }) => kind?.endsWith('WebhookConfiguration')) as (KubeObject & {
    webhooks: { clientConfig: { service?: { path: string }; url?: string; caBundle?: string } }[]
  })[]
  for (const { webhooks } of configurations)
    for (const hook of webhooks)
      hook.clientConfig = {
        url: `https://127.0.0.1:${port}${hook.clientConfig.service?.path}`,
        caBundle: Buffer.from(api.ca).toString('base64'),
      }
  await createOf(admin, configurations, ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'])
  await eventually(
    async () => {
      const refusal = create(admin, ownerGroups, nobody('default'), { query: { dryRun: 'All' } })
      return (await refusal.then(String, (error) => error.message)).includes('NobodyOnCall')
    },
    { timeoutMs: 20_000 },
  )
  return installation
}
