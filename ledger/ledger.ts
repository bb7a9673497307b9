import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Meter } from '@opentelemetry/api'
import { AUDIENCE_LEDGER } from '../lib/api/names.ts'
import type { Client } from '../lib/kube/client.ts'
import type { Logger } from '../lib/service/log.ts'
import { tlsFromFiles } from '../lib/service/tls.ts'
import { createApp } from './app.ts'
import { delegatedAuthorization } from './auth/access.ts'
import { bearerAuthentication } from './auth/bearer.ts'
import type { SidecarCaller } from './auth/caller.ts'
import { personOf } from './auth/front-proxy.ts'
import { clusterIssuer } from './auth/issuer.ts'
import { followRequestHeader } from './auth/request-header.ts'
import type { ledgerConfig } from './config.ts'
import { sendHistory } from './history/send.ts'
import { bodyBudget } from './http/body.ts'
import { otlpRelay } from './otlp.ts'
import { intake } from './receipts/intake.ts'
import { quota } from './receipts/quota.ts'
import { followRemits } from './remits/follow.ts'
import { openRemits } from './remits/held.ts'
import { remitStreams } from './remits/stream.ts'
import { startServer } from './server.ts'
import { openStore } from './store/store.ts'

const BODY_BUDGET = 64 * 1024 * 1024
/** Container starts of one pod: a burst, then one a minute, about as fast as the kubelet restarts. */
const STARTS = { capacity: 30, perSecond: 1 / 60 }
const KEYS_MS = 5_000

const meterIntake = (
  take: (caller: SidecarCaller, body: Buffer) => Promise<{ incarnation: string; seq: number }>,
  meter: Meter,
) => {
  const requests = meter.createCounter('remit.ledger.requests', { description: 'Requests with receipts, by result' })
  const bytes = meter.createCounter('remit.ledger.received', { unit: 'By', description: 'Bytes of receipts taken' })
  return async (caller: SidecarCaller, body: Buffer) => {
    try {
      const ack = await take(caller, body)
      requests.add(1, { 'error.type': 'none' })
      bytes.add(body.length)
      return ack
    } catch (error) {
      requests.add(1, { 'error.type': (error as { code?: string }).code ?? 'InternalError' })
      throw error
    }
  }
}

/**
 * Starts the ledger over a client of the API server. Resolves when it listens, which needs neither the API server nor
 * its index when an earlier start left what it must know on disk.
 */
export const startLedger = async (options: {
  config: ReturnType<typeof ledgerConfig>
  client: Client
  meter: Meter
  log: Logger
  signal: AbortSignal
  now?: () => number
}) => {
  const { config, client, meter, log, signal, now = Date.now } = options
  const cache = join(config.data, 'cache')
  await mkdir(cache, { recursive: true })
  const caFile = join(cache, 'requestheader-ca.pem')

  const store = await openStore({ dir: config.data })
  const remits = openRemits({ dir: join(config.data, 'remits'), log })
  const streams = remitStreams({ remits, now })
  const issuer = clusterIssuer({ client, file: join(cache, 'jwks.json'), audience: AUDIENCE_LEDGER, now, log })
  const refresh = () => issuer.refresh().catch((error) => log.warn({ err: error }, 'token keys not refreshed'))
  await refresh()
  const refreshing = setInterval(() => issuer.stale() && refresh(), KEYS_MS)
  const requestHeader = await followRequestHeader({
    client,
    file: join(cache, 'requestheader.json'),
    caFile,
    signal,
    log,
  })
  followRemits({ client, remits, log, signal })

  const take = intake({
    store,
    agentIdOf: remits.idOf,
    bytes: quota({ capacity: config.agentBurstBytes, perSecond: config.agentBytesPerSecond, now }),
    starts: quota({ ...STARTS, now }),
    now,
    log,
  })
  const app = createApp({
    authenticate: bearerAuthentication({ client, issuer, audience: AUDIENCE_LEDGER, now, log }),
    operator: config.operator,
    streams,
    bodies: bodyBudget(BODY_BUDGET),
    take: meterIntake(take, meter),
    history: sendHistory({ store, agentIdOf: remits.idOf, now }),
    relay: otlpRelay({ endpoint: config.otlpEndpoint, log }),
    evidence: {
      store,
      now,
      personOf: (request) => personOf(request, requestHeader()),
      authorize: delegatedAuthorization({ client, now }),
      log,
    },
    log,
  })
  const tls = tlsFromFiles({ cert: join(config.tls, 'tls.crt'), key: join(config.tls, 'tls.key'), ca: caFile }, log)
  const server = await startServer({ host: config.host, port: config.port, tls, listener: app, log })
  meter
    .createObservableUpDownCounter('remit.ledger.streams', { description: 'Sidecars that follow their remit' })
    .addCallback((result) => result.observe(streams.count()))
  log.info({ port: server.port, receipts: store.index.head() }, 'ledger listens')

  return {
    port: server.port,
    /** Checks of /readyz: an API server that is away leaves a ledger ready that knows what it needs. */
    checks: {
      keys: () => issuer.ready() || 'no token keys yet',
      store: () => store.broken() ?? (true as const),
    },
    broken: store.broken,
    close: async () => {
      clearInterval(refreshing)
      streams.close()
      await server.close()
      await store.close()
    },
  }
}
