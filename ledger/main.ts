import { delimiter } from 'node:path'
import { createClient } from '../lib/kube/client.ts'
import { loadKubeConfig } from '../lib/kube/kubeconfig.ts'
import { startHealth } from '../lib/service/health.ts'
import { createLogger } from '../lib/service/log.ts'
import { onShutdown } from '../lib/service/shutdown.ts'
import { startTelemetry } from '../lib/service/telemetry.ts'
import { ledgerConfig } from './config.ts'
import { startLedger } from './ledger.ts'

const config = ledgerConfig(process.env)
const log = createLogger({ part: 'ledger', level: config.logLevel })
const shutdown = onShutdown(log)
const telemetry = startTelemetry({ service: 'remit-ledger', version: config.version, endpoint: config.otlpEndpoint })
shutdown.add('telemetry', telemetry.shutdown)

const kubeConfig = loadKubeConfig(
  config.kubeconfig ? { from: 'files', files: config.kubeconfig.split(delimiter) } : { from: 'cluster' },
)
const client = createClient(kubeConfig)
shutdown.add('client', client.close)

let starting: string | undefined = 'starting'
const checks: Record<string, () => true | string> = { start: () => starting ?? true }
const health = await startHealth({ host: config.host, port: config.healthPort, checks, log })
shutdown.add('health', health.close)

const ledger = await startLedger({ config, client, meter: telemetry.meter, log, signal: shutdown.signal })
shutdown.add('ledger', ledger.close)
Object.assign(checks, ledger.checks)
starting = undefined

const watchdog = setInterval(() => {
  const why = ledger.broken()
  if (why) void shutdown.run(why)
}, 1_000)
shutdown.add('watchdog', () => clearInterval(watchdog))
