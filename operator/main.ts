import { createClient } from '../lib/kube/client.ts'
import { loadKubeConfig } from '../lib/kube/kubeconfig.ts'
import { createMetrics } from '../lib/kube/metrics.ts'
import { startHealth } from '../lib/service/health.ts'
import { createLogger } from '../lib/service/log.ts'
import { onShutdown } from '../lib/service/shutdown.ts'
import { startTelemetry } from '../lib/service/telemetry.ts'
import { config } from './config.ts'
import { createOperator } from './run.ts'

const settings = config()
const log = createLogger({ part: 'operator', level: settings.logLevel })
const shutdown = onShutdown(log)
const telemetry = startTelemetry({
  service: 'remit-operator',
  version: settings.version,
  endpoint: settings.otlpEndpoint,
})
const { kubeconfig } = settings
const client = createClient(
  loadKubeConfig(kubeconfig ? { from: 'files', files: kubeconfig.split(':') } : { from: 'cluster' }),
)
const operator = createOperator({ client, config: settings, log, metrics: createMetrics(telemetry.meter) })
const health = await startHealth({
  host: settings.healthHost,
  port: settings.healthPort,
  checks: { caches: () => operator.isSynced() || 'not synced' },
  log,
})
shutdown.add('telemetry', telemetry.shutdown)
shutdown.add('health', health.close)
const running = operator.run(shutdown.signal)
shutdown.add('lease', () => running)
await running.catch((error) => {
  log.error({ err: error }, 'operator failed')
  return shutdown.run('failure').then(() => process.exit(1))
})
