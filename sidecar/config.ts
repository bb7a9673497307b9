import { PATH_CREDENTIALS, PATH_SPOOL, PATH_TOKEN, PORT_GATE, PORT_HEALTH } from '../lib/api/names.ts'
import type { Anchor } from '../lib/core/jws.ts'
import { integer, json, oneOf, readConfig, text, url } from '../lib/service/config.ts'
import { LOG_LEVELS } from '../lib/service/log.ts'

const isAnchors = (value: unknown): value is Anchor[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every(
    (key) => key?.kty === 'OKP' && key?.crv === 'Ed25519' && typeof key?.x === 'string' && typeof key?.kid === 'string',
  )

const port = integer(0, 65_535)

/** What the webhook puts into the sidecar's environment; paths and ports only change in tests. */
export const readSettings = (env: Record<string, string | undefined> = process.env) =>
  readConfig(
    {
      cluster: { env: 'REMIT_CLUSTER', parse: text() },
      namespace: { env: 'REMIT_NAMESPACE', parse: text() },
      agent: { env: 'REMIT_AGENT', parse: text() },
      agentId: { env: 'REMIT_AGENT_ID', parse: text() },
      ledgerURL: { env: 'REMIT_LEDGER_URL', parse: url('https:') },
      ledgerName: { env: 'REMIT_LEDGER_NAME', parse: text() },
      ledgerCA: { env: 'REMIT_LEDGER_CA', parse: text() },
      anchors: { env: 'REMIT_ANCHORS', parse: json(isAnchors, 'a list of Ed25519 public JWKs with kid') },
      image: { env: 'REMIT_SIDECAR_IMAGE', parse: text(), default: '' },
      podName: { env: 'POD_NAME', parse: text() },
      podUID: { env: 'POD_UID', parse: text() },
      node: { env: 'NODE_NAME', parse: text(), default: '' },
      logLevel: { env: 'REMIT_LOG_LEVEL', parse: oneOf(...LOG_LEVELS), default: 'info' as const },
      tokenFile: { env: 'REMIT_TOKEN_FILE', parse: text(), default: `${PATH_TOKEN}/token` },
      credentials: { env: 'REMIT_CREDENTIALS_DIR', parse: text(), default: PATH_CREDENTIALS },
      spool: { env: 'REMIT_SPOOL_DIR', parse: text(), default: PATH_SPOOL },
      spoolBytes: { env: 'REMIT_SPOOL_BYTES', parse: integer(1, Number.MAX_SAFE_INTEGER), default: 128 * 1024 * 1024 },
      port: { env: 'REMIT_PORT', parse: port, default: PORT_GATE },
      healthPort: { env: 'REMIT_HEALTH_PORT', parse: port, default: PORT_HEALTH },
    },
    env,
  )
export type Settings = ReturnType<typeof readSettings>
