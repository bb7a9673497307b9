import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../lib/kube/client.ts'
import { loadKubeConfig } from '../lib/kube/kubeconfig.ts'
import { startHealth } from '../lib/service/health.ts'
import { createLogger } from '../lib/service/log.ts'
import { onShutdown } from '../lib/service/shutdown.ts'
import { startTelemetry } from '../lib/service/telemetry.ts'
import { checkInstallation } from './check.ts'
import { clusterLookups } from './cluster.ts'
import { webhookConfig } from './config.ts'
import { serveTLS } from './serve.ts'
import { admissionApp } from './server.ts'
import { uninstall } from './uninstall.ts'

const config = webhookConfig(process.env)
const log = createLogger({ part: 'webhook', level: config.logLevel })
const source = config.kubeconfig
  ? ({ from: 'files', files: config.kubeconfig.split(':') } as const)
  : ({ from: 'cluster' } as const)
const client = createClient(loadKubeConfig(source))

// The chart's hooks run this image: `helm test` and the end of an installation.
const command = process.argv[2]
if (command === 'check') process.exit((await checkInstallation(client, config.systemNamespace, console.log)) ? 0 : 1)
if (command === 'uninstall') {
  await uninstall(client, config.systemNamespace, console.log)
  process.exit(0)
}

const shutdown = onShutdown(log)
const telemetry = startTelemetry({
  service: 'remit-webhook',
  version: config.version,
  endpoint: config.otlp,
  resource: { 'service.instance.id': config.pod || 'local' },
})
shutdown.add('telemetry', telemetry.shutdown)
const cluster = clusterLookups(client, config.systemNamespace, log)
cluster.run(shutdown.signal).catch((error) => log.error({ err: error }, 'caches ended'))
const app = admissionApp({
  lookups: cluster.lookups,
  operator: config.operator,
  log,
  meter: telemetry.meter,
  now: Date.now,
})
const server = await serveTLS(app, config, log)
shutdown.add('server', server.close)
// Until every node knows that this endpoint is gone, reviews still arrive and are answered.
shutdown.add('drain', async () => void (await sleep(config.drainMs)))
const ending = () => !shutdown.signal.aborted || 'shutting down'
const health = await startHealth({
  host: config.host,
  port: config.healthPort,
  checks: { caches: cluster.ready, ending },
  log,
})
shutdown.add('health', health.close)
log.info({ port: server.port }, 'serving')
