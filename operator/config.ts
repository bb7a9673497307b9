import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { VERSION } from '../lib/api/version.ts'
import { flag, integer, oneOf, readConfig, text } from '../lib/service/config.ts'
import { LOG_LEVELS } from '../lib/service/log.ts'

const DAY = 86_400

export const settings = {
  /** A file; the pod's own account when it is not set. */
  kubeconfig: { env: 'KUBECONFIG', parse: text(), default: undefined as string | undefined },
  systemNamespace: { env: 'REMIT_SYSTEM_NAMESPACE', parse: text(), default: 'remit-system' },
  podName: { env: 'POD_NAME', parse: text(), default: undefined as string | undefined },
  logLevel: { env: 'REMIT_LOG_LEVEL', parse: oneOf(...LOG_LEVELS), default: 'info' as const },
  healthHost: { env: 'REMIT_HEALTH_HOST', parse: text(), default: '0.0.0.0' },
  healthPort: { env: 'REMIT_HEALTH_PORT', parse: integer(0, 65_535), default: 7481 },
  /** `own`: the operator is the authority. `cert-manager`: it only reads what cert-manager wrote. */
  certificates: { env: 'REMIT_CERTIFICATES', parse: oneOf('own', 'cert-manager'), default: 'own' as const },
  caSeconds: { env: 'REMIT_CA_SECONDS', parse: integer(6, 36_500 * DAY), default: 5 * 365 * DAY },
  certificateSeconds: { env: 'REMIT_CERTIFICATE_SECONDS', parse: integer(3, 3_650 * DAY), default: 90 * DAY },
  signingKeySeconds: { env: 'REMIT_SIGNING_KEY_SECONDS', parse: integer(6, 36_500 * DAY), default: 365 * DAY },
  /** The operator's own token of audience remit-ledger, for counters and freezes. */
  ledgerTokenFile: { env: 'REMIT_LEDGER_TOKEN_FILE', parse: text(), default: '/var/run/remit/token/token' },
  /** Where the ledger is reached; its Service's cluster IP when not set. */
  ledgerURL: { env: 'REMIT_LEDGER_URL', parse: text(), default: undefined as string | undefined },
  countersSeconds: { env: 'REMIT_COUNTERS_SECONDS', parse: integer(1, 3_600), default: 60 },
  /** How often the ledger is asked who is frozen. */
  frozenSeconds: { env: 'REMIT_FROZEN_SECONDS', parse: integer(1, 3_600), default: 5 },
  counters: { env: 'REMIT_COUNTERS', parse: flag(), default: true },
  /** How often each cache is compared with a full list, a tenth more or less. */
  relistSeconds: { env: 'REMIT_RELIST_SECONDS', parse: integer(1, 86_400), default: 600 },
  /** Lease: how long others respect it, how long a leader tries to renew, pause between tries. */
  leaseSeconds: { env: 'REMIT_LEASE_SECONDS', parse: integer(2, 3_600), default: 15 },
  renewMs: { env: 'REMIT_RENEW_MS', parse: integer(100, 3_600_000), default: 10_000 },
  retryMs: { env: 'REMIT_RETRY_MS', parse: integer(50, 60_000), default: 2_000 },
  otlpEndpoint: { env: 'OTEL_EXPORTER_OTLP_ENDPOINT', parse: text(), default: undefined as string | undefined },
  version: { env: 'REMIT_VERSION', parse: text(), default: VERSION },
}

/** The operator's settings; the only place that reads its environment and its mounted files. */
export const config = (env: Record<string, string | undefined> = process.env) => {
  const values = readConfig(settings, env)
  return {
    ...values,
    podName: values.podName ?? hostname(),
    /** Read at each use: the kubelet renews it. */
    ledgerToken: () => readFileSync(values.ledgerTokenFile, 'utf8').trim(),
  }
}
export type Config = ReturnType<typeof config>
