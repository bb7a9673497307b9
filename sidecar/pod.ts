import { join } from 'node:path'
import { LEDGER_PATHS } from '../lib/api/ledger.ts'
import { VERSION } from '../lib/api/version.ts'
import { startHealth } from '../lib/service/health.ts'
import type { Logger } from '../lib/service/log.ts'
import { startTelemetry } from '../lib/service/telemetry.ts'
import { createAuthority } from './authority.ts'
import type { Settings } from './config.ts'
import { readCredential } from './credentials.ts'
import { startGate } from './gate.ts'
import { createLedgerClient } from './ledger/client.ts'
import { startRemitSource } from './ledger/remits.ts'
import { startDrain } from './spool/drain.ts'
import { openSpool } from './spool/spool.ts'

/** Longest the last receipts may take to reach the ledger when the pod ends. */
const LAST_DRAIN_MS = 5_000
/** How long a start waits for the agent's history, so that its first calls are not denied for the want of it. */
const HISTORY_MS = 30_000

/** The sidecar in an agent's pod: remits from the ledger, receipts to it, the gate between. */
export const startSidecar = async (settings: Settings, log: Logger, now: () => number) => {
  const startedAt = now()
  const stop = new AbortController()
  const authority = createAuthority({ log })
  const spool = await openSpool({
    dir: settings.spool,
    incarnation: {
      agent: { id: settings.agentId, namespace: settings.namespace, name: settings.agent },
      podName: settings.podName,
      podUID: settings.podUID,
      ...(settings.node ? { node: settings.node } : {}),
      sidecar: { version: VERSION, ...(settings.image ? { image: settings.image } : {}) },
    },
    maxBytes: settings.spoolBytes,
    keep: false,
    now,
    epoch: authority.epoch,
    log,
  })
  authority.recordWith(spool.record)
  const ca = () => authority.current()?.remit.ledgerCA ?? settings.ledgerCA
  const ledger = createLedgerClient({
    url: settings.ledgerURL,
    name: settings.ledgerName,
    ca,
    tokenFile: settings.tokenFile,
  })
  const remits = startRemitSource({
    ledger,
    authority,
    anchors: settings.anchors,
    expect: { cluster: settings.cluster, agentId: settings.agentId },
    dir: settings.spool,
    signal: stop.signal,
    log,
  })
  const drain = startDrain({ spool, dir: settings.spool, post: ledger.post, log, signal: stop.signal })
  const telemetry = startTelemetry({
    service: 'remit-sidecar',
    version: VERSION,
    resource: {
      'k8s.namespace.name': settings.namespace,
      'k8s.pod.name': settings.podName,
      'k8s.pod.uid': settings.podUID,
      'remit.agent.name': settings.agent,
      'remit.agent.id': settings.agentId,
    },
    endpoint: settings.ledgerURL + LEDGER_PATHS.otlp,
    headers: ledger.headers,
    tls: { ca, servername: settings.ledgerName },
  })
  const gate = await startGate({
    port: settings.port,
    authority,
    spool,
    loadPast: async (since, take, signal) => {
      await drain.reached(spool.lastSeq(), signal)
      if (!signal.aborted) await ledger.history(new Date(since), take, signal)
    },
    dir: settings.spool,
    credentials: (kind, name) => readCredential(join(settings.credentials, `${kind}-${name}`)),
    telemetry,
    relayTelemetry: ledger.relay,
    now,
    log,
  })
  const health = await startHealth({
    host: '0.0.0.0',
    port: settings.healthPort,
    checks: {
      remit: () => (authority.current() ? true : 'the agent has no remit yet'),
      spool: spool.check,
      // A ledger that stays away keeps a started agent from what looks at the past, and from nothing else.
      history: () => gate.loaded() || now() > startedAt + HISTORY_MS || 'what the agent did before is not loaded yet',
    },
    log,
  })
  return {
    port: gate.port,
    healthPort: health.port,
    /** Ends calls, then sends what is left to the ledger, for a while. */
    close: async () => {
      await gate.close()
      const end = now() + LAST_DRAIN_MS
      while (spool.backlogBytes() > 0 && now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
      stop.abort()
      await Promise.all([drain.done, remits.done])
      await health.close()
      await telemetry.shutdown()
      ledger.close()
      await spool.close()
    },
  }
}
