import { VERSION } from '../lib/api/version.ts'
import { integer, oneOf, readConfig, text, url } from '../lib/service/config.ts'
import { LOG_LEVELS } from '../lib/service/log.ts'

const MiB = 1024 * 1024

/** The ledger's settings, from its environment. */
export const ledgerConfig = (env: Record<string, string | undefined>) =>
  readConfig(
    {
      host: { env: 'LEDGER_HOST', default: '0.0.0.0', parse: text() },
      port: { env: 'LEDGER_PORT', default: 8443, parse: integer(0, 65_535) },
      healthPort: { env: 'LEDGER_HEALTH_PORT', default: 7481, parse: integer(0, 65_535) },
      /** Folder of everything that is kept. */
      data: { env: 'LEDGER_DATA', default: '/var/lib/remit/ledger', parse: text() },
      /** Folder with tls.crt and tls.key; read again when they change. */
      tls: { env: 'LEDGER_TLS', default: '/var/run/remit/tls', parse: text() },
      /** Username that may read the counters. */
      operator: { env: 'LEDGER_OPERATOR', default: 'system:serviceaccount:remit-system:remit-operator', parse: text() },
      otlpEndpoint: {
        env: 'LEDGER_OTLP_ENDPOINT',
        default: undefined as string | undefined,
        parse: url('http:', 'https:'),
      },
      /** What one agent may send: bytes a second over time, and at once. */
      agentBytesPerSecond: {
        env: 'LEDGER_AGENT_BYTES_PER_SECOND',
        default: MiB / 4,
        parse: integer(1_024, 1_024 * MiB),
      },
      agentBurstBytes: {
        env: 'LEDGER_AGENT_BURST_BYTES',
        default: 256 * MiB,
        parse: integer(4 * MiB, 1_048_576 * MiB),
      },
      /** A kubeconfig, outside of a cluster. */
      kubeconfig: { env: 'KUBECONFIG', default: undefined as string | undefined, parse: text() },
      version: { env: 'REMIT_VERSION', default: VERSION, parse: text() },
      logLevel: { env: 'REMIT_LOG_LEVEL', default: 'info' as const, parse: oneOf(...LOG_LEVELS) },
    },
    env,
  )
