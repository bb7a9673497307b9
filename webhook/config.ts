import { PORT_WEBHOOK } from '../lib/api/names.ts'
import { VERSION } from '../lib/api/version.ts'
import { integer, oneOf, readConfig, text, url } from '../lib/service/config.ts'
import { LOG_LEVELS } from '../lib/service/log.ts'

/** Everything the webhook is told by its environment. @throws ConfigError naming every wrong setting. */
export const webhookConfig = (env: Record<string, string | undefined>) => {
  const values = readConfig(
    {
      systemNamespace: { env: 'REMIT_SYSTEM_NAMESPACE', default: 'remit-system', parse: text() },
      tlsDir: { env: 'REMIT_TLS_DIR', default: '/var/run/remit/tls', parse: text() },
      host: { env: 'REMIT_HOST', default: '0.0.0.0', parse: text() },
      port: { env: 'REMIT_PORT', default: PORT_WEBHOOK, parse: integer(0, 65535) },
      healthPort: { env: 'REMIT_HEALTH_PORT', default: 7481, parse: integer(0, 65535) },
      drainMs: { env: 'REMIT_DRAIN_MS', default: 5_000, parse: integer(0, 60_000) },
      kubeconfig: { env: 'KUBECONFIG', default: '', parse: text() },
      otlp: { env: 'OTEL_EXPORTER_OTLP_ENDPOINT', default: '', parse: url('http:', 'https:') },
      logLevel: { env: 'REMIT_LOG_LEVEL', default: 'info' as const, parse: oneOf(...LOG_LEVELS) },
      pod: { env: 'POD_NAME', default: '', parse: text() },
      version: { env: 'REMIT_VERSION', default: VERSION, parse: text() },
    },
    env,
  )
  return { ...values, operator: `system:serviceaccount:${values.systemNamespace}:remit-operator` }
}
