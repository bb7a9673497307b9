import { randomUUID } from 'node:crypto'
import { LEDGER_PATHS } from '../lib/api/ledger.ts'
import { LEASE_OPERATOR, PORT_LEDGER, SERVICE_LEDGER } from '../lib/api/names.ts'
import type { Client } from '../lib/kube/client.ts'
import { type Clock, systemClock } from '../lib/kube/clock.ts'
import { elect, type Term } from '../lib/kube/election.ts'
import { createEventRecorder } from '../lib/kube/events.ts'
import type { Informer } from '../lib/kube/informer.ts'
import type { KubeMetrics } from '../lib/kube/metrics.ts'
import type { Resource } from '../lib/kube/resources.ts'
import type { KubeObject, Logger } from '../lib/kube/types.ts'
import { createAgentController } from './agent/controller.ts'
import type { Trust } from './agent/world.ts'
import { createCaches, kinds } from './caches.ts'
import { createCertificateCaches, createCertificateController } from './certificates/controller.ts'
import type { Config } from './config.ts'
import { runCounters } from './counters.ts'
import { createFreezes, runFreezes } from './freezes.ts'
import { askLedger } from './ledger.ts'
import { createOwnerController } from './owner-controller.ts'
import { createPolicyController } from './policy-controller.ts'

/** The newest trust of this term, and who wants to hear of another. */
const createTrustHolder = () => {
  let current: Trust | undefined
  const listeners = new Set<() => void>()
  let looked = () => {}
  const first = new Promise<void>((resolve) => {
    looked = resolve
  })
  return {
    /** Resolves when it was looked for once; what is decided before would only be undone. */
    synced: () => first,
    looked: () => looked(),
    get: () => current,
    set: (trust: Trust) => {
      current = trust
      for (const listener of listeners) listener()
    },
    onChange: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export interface OperatorOptions {
  client: Client
  config: Config
  log: Logger
  clock?: Clock
  metrics?: KubeMetrics
}

/**
 * The operator without its process: caches that every replica keeps warm, and the controllers, which only the holder of
 * the Lease runs. `run` resolves when `signal` has aborted, the work has ended and the Lease is released.
 */
export const createOperator = ({ client, config, log, clock = systemClock, metrics }: OperatorOptions) => {
  const namespace = config.systemNamespace
  const reading = { client, log, metrics, relistMs: config.relistSeconds * 1000 }
  const caches = createCaches(reading)
  const certificates = createCertificateCaches(reading, namespace)
  const informers = [...Object.values(caches), ...Object.values(certificates)] as unknown as Informer<KubeObject>[]
  const now = clock.now
  // Kept over terms: what was said of an agent stays true of it.
  const freezes = createFreezes()
  let leading = false

  const lead = async (term: Term) => {
    const trust = createTrustHolder()
    // A term that ends before anything was looked for must still end.
    term.signal.addEventListener('abort', trust.looked, { once: true })
    const events = createEventRecorder({
      client,
      log,
      clock,
      reportingController: 'remit.dev/operator',
      reportingInstance: config.podName,
    })
    const ledgerAt = () => {
      const ip = caches.services.cache.get(`${namespace}/${SERVICE_LEDGER}`)?.spec?.clusterIP
      return config.ledgerURL ?? (ip ? `https://${ip.includes(':') ? `[${ip}]` : ip}:${PORT_LEDGER}` : undefined)
    }
    const common = { client, caches, log, now, metrics }
    const controllers = [
      createCertificateController(
        {
          client,
          log,
          metrics,
          now,
          namespace,
          mode: config.certificates,
          caMs: config.caSeconds * 1000,
          certificateMs: config.certificateSeconds * 1000,
          signingKeyMs: config.signingKeySeconds * 1000,
          services: caches.services,
          onTrust: trust.set,
          onPass: trust.looked,
        },
        certificates,
      ),
      createAgentController({
        ...common,
        events,
        systemNamespace: namespace,
        epoch: term.epoch,
        trust: trust.get,
        trustChanges: trust.onChange,
        trustLookedFor: trust,
        freezes,
      }),
      createOwnerController(common),
      createPolicyController({
        ...common,
        name: 'policies',
        kind: kinds.policies as unknown as Resource,
        scope: 'Namespace',
        policies: caches.policies as never,
      }),
      createPolicyController({
        ...common,
        name: 'cluster-policies',
        kind: kinds.clusterPolicies as unknown as Resource,
        scope: 'Cluster',
        policies: caches.clusterPolicies as never,
      }),
    ]
    const ask = (path: string) => async (signal: AbortSignal) => {
      const [url, ca] = [ledgerAt(), trust.get()?.ledgerCA]
      if (!url || !ca) throw new Error('the ledger is not known yet')
      const servername = `${SERVICE_LEDGER}.${namespace}.svc`
      return askLedger({ url, ca, servername, token: config.ledgerToken() }, path, signal)
    }
    const asking = config.counters ? term.signal : AbortSignal.abort()
    const counters = runCounters(
      { client, caches, log, clock, everyMs: config.countersSeconds * 1000, fetch: ask(LEDGER_PATHS.counters) },
      asking,
    )
    const frozen = trust
      .synced()
      .then(() =>
        runFreezes(
          { freezes, log, clock, everyMs: config.frozenSeconds * 1000, fetch: ask(LEDGER_PATHS.frozen) },
          asking,
        ),
      )
    leading = true
    try {
      await Promise.all([...controllers.map((controller) => controller.run(term.signal)), counters, frozen])
    } finally {
      leading = false
      await events.stop()
    }
  }

  return {
    /** Whether the first lists of all caches are in. */
    isSynced: () => informers.every(({ hasSynced }) => hasSynced),
    isLeading: () => leading,
    run: async (signal: AbortSignal): Promise<void> => {
      const watching = Promise.all(informers.map((informer) => informer.run(signal)))
      const electing = elect(
        {
          client,
          namespace,
          name: LEASE_OPERATOR,
          identity: `${config.podName}_${randomUUID()}`,
          lead,
          log,
          clock,
          leaseSeconds: config.leaseSeconds,
          renewDeadlineMs: config.renewMs,
          retryMs: config.retryMs,
        },
        signal,
      )
      await Promise.all([watching, electing])
    },
  }
}
