import {
  EVIDENCE_GROUP,
  PORT_LEDGER,
  SECRET_CA,
  SECRET_LEDGER_TLS,
  SECRET_SIGNING_KEY,
  SECRET_WEBHOOK_TLS,
  SERVICE_LEDGER,
  SERVICE_WEBHOOK,
  VERSION,
} from '../../lib/api/names.ts'
import type { Client } from '../../lib/kube/client.ts'
import { type Controller, createController, source } from '../../lib/kube/controller.ts'
import { createInformer, type Informer } from '../../lib/kube/informer.ts'
import type { KubeMetrics } from '../../lib/kube/metrics.ts'
import { create, get, update } from '../../lib/kube/objects.ts'
import {
  apiServices,
  configMaps,
  mutatingWebhookConfigurations,
  namespaces,
  type Resource,
  type Secret,
  type Service,
  secrets,
  validatingWebhookConfigurations,
} from '../../lib/kube/resources.ts'
import type { KubeObject, Logger } from '../../lib/kube/types.ts'
import type { Trust } from '../agent/world.ts'
import type { CacheOptions } from '../caches.ts'
import { nextAuthorities } from './authorities.ts'
import { isCurrent, newLeaf, type Pair, renewAt } from './issue.ts'
import { publishApiServiceCA, publishTrust, publishWebhookCA } from './publish.ts'
import { nextSigningKeys } from './signing-keys.ts'

export const CONFIGMAP_TRUST = 'remit-trust'
/** Name of both webhook configurations of the chart. */
const WEBHOOKS = 'remit'

export interface CertificateOptions {
  client: Client
  log: Logger
  metrics?: KubeMetrics
  now: () => number
  namespace: string
  mode: 'own' | 'cert-manager'
  caMs: number
  certificateMs: number
  signingKeyMs: number
  services: Informer<Service>
  /** Called with each trust that differs from the one before. */
  onTrust: (trust: Trust) => void
  /** Called after each pass, also one that failed: from now on a missing trust is worth telling. */
  onPass: () => void
}

/** The operator's own objects, each watched by name: it has no right to list a namespace's Secrets. */
export const createCertificateCaches = (common: CacheOptions, namespace: string) => {
  const named = <T extends KubeObject>(kind: Resource<T>, name: string, within?: string) =>
    createInformer<T>({ ...common, kind, namespace: within, fieldSelector: `metadata.name=${name}` })
  return {
    ca: named(secrets, SECRET_CA, namespace),
    webhook: named(secrets, SECRET_WEBHOOK_TLS, namespace),
    ledger: named(secrets, SECRET_LEDGER_TLS, namespace),
    signing: named(secrets, SECRET_SIGNING_KEY, namespace),
    trust: named(configMaps, CONFIGMAP_TRUST, namespace),
    mutating: named(mutatingWebhookConfigurations, WEBHOOKS),
    validating: named(validatingWebhookConfigurations, WEBHOOKS),
    apiService: named(apiServices, `${VERSION}.${EVIDENCE_GROUP}`),
  }
}
export type CertificateCaches = ReturnType<typeof createCertificateCaches>

const text = (secret: Secret | undefined, key: string) => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString()
const pairOf = (secret: Secret | undefined): Pair | undefined => {
  const pair = { cert: text(secret, 'tls.crt'), key: text(secret, 'tls.key') }
  return pair.cert && pair.key ? pair : undefined
}
const base64 = (data: Record<string, string>) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))

/** Over the very Secret that was seen, so that two writers never leave half of each; a conflict is tried again. */
const writeSecret = async (
  { client, namespace, log }: CertificateOptions,
  name: string,
  type: string,
  found: Secret | undefined,
  data: Record<string, string>,
  signal: AbortSignal,
) => {
  const held = found?.data ?? {}
  if (
    found &&
    Object.keys(held).length === Object.keys(data).length &&
    Object.entries(data).every(([k, v]) => held[k] === v)
  )
    return
  if (found) {
    const { resourceVersion, uid, labels, annotations } = found.metadata
    const metadata = { name, namespace, resourceVersion, uid, labels, annotations }
    await update(client, secrets, { metadata, type: found.type ?? type, data }, { signal })
  } else await create(client, secrets, { metadata: { name, namespace }, type, data }, { signal })
  log.info({ secret: name }, 'secret written')
}

const serviceNames = (service: string, namespace: string) => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
  `${service}.${namespace}`,
  service,
]

/** Makes and renews everything Remit's parts believe each other by, and tells all who must know, before it is used. */
export const createCertificateController = (options: CertificateOptions, caches: CertificateCaches): Controller => {
  const { client, log, now, namespace, services } = options
  const one = <T extends KubeObject>(informer: Informer<T>) => informer.cache.list()[0]
  let cluster = ''
  let told = ''

  const own = async (ledgerIP: string | undefined, signal: AbortSignal) => {
    const authorities = await nextAuthorities(one(caches.ca), now(), options.caMs)
    await writeSecret(options, SECRET_CA, 'kubernetes.io/tls', one(caches.ca), authorities.data, signal)
    const leaf = async (name: string, found: Secret | undefined, names: string[]) => {
      const held = pairOf(found)
      const pair =
        held && isCurrent(held, authorities.issuer, names, now())
          ? held
          : await newLeaf(authorities.issuer, names, now(), options.certificateMs)
      const data = base64({ 'tls.crt': pair.cert, 'tls.key': pair.key, 'ca.crt': authorities.bundle })
      await writeSecret(options, name, 'kubernetes.io/tls', found, data, signal)
      return renewAt(pair)
    }
    // Whoever calls learns of a new authority before anyone serves with a certificate of it.
    await publish(authorities.bundle, authorities.bundle, signal)
    const ledgerNames = [...serviceNames(SERVICE_LEDGER, namespace), ...(ledgerIP ? [ledgerIP] : [])]
    const renewals = [
      await leaf(SECRET_WEBHOOK_TLS, one(caches.webhook), serviceNames(SERVICE_WEBHOOK, namespace)),
      await leaf(SECRET_LEDGER_TLS, one(caches.ledger), ledgerNames),
    ]
    return { ledgerCA: authorities.bundle, nextAt: Math.min(authorities.nextAt, ...renewals) }
  }

  const publish = async (webhookCA: string, ledgerCA: string, signal: AbortSignal) => {
    const found = { mutating: one(caches.mutating), validating: one(caches.validating) }
    if (webhookCA) await publishWebhookCA(client, found, webhookCA, signal)
    if (ledgerCA) await publishApiServiceCA(client, one(caches.apiService), ledgerCA, signal)
  }

  const reconcile = (_key: string, { signal }: { signal: AbortSignal }) => pass(signal).finally(options.onPass)

  const pass = async (signal: AbortSignal) => {
    cluster ||= (await get(client, namespaces, { name: 'kube-system' }, { signal })).metadata.uid ?? ''
    const ledgerIP = services.cache.get(`${namespace}/${SERVICE_LEDGER}`)?.spec?.clusterIP
    const keys = nextSigningKeys(one(caches.signing), now(), options.signingKeyMs)
    await writeSecret(options, SECRET_SIGNING_KEY, 'Opaque', one(caches.signing), keys.data, signal)
    let ledgerCA = text(one(caches.ledger), 'ca.crt')
    let nextAt = keys.nextAt
    if (options.mode === 'own') {
      const result = await own(ledgerIP, signal)
      ledgerCA = result.ledgerCA
      nextAt = Math.min(nextAt, result.nextAt)
    } else await publish(text(one(caches.webhook), 'ca.crt'), ledgerCA, signal)

    if (ledgerCA && ledgerIP && ledgerIP !== 'None') {
      const host = ledgerIP.includes(':') ? `[${ledgerIP}]` : ledgerIP
      const data = {
        cluster,
        ledgerURL: `https://${host}:${PORT_LEDGER}`,
        ledgerName: `${SERVICE_LEDGER}.${namespace}.svc`,
        'ca.pem': ledgerCA,
        'anchors.json': JSON.stringify(keys.anchors),
      }
      await publishTrust(client, one(caches.trust), { namespace, name: CONFIGMAP_TRUST }, data, signal)
      const trust: Trust = { cluster, ledgerCA, anchors: keys.anchors, signer: keys.signer }
      const telling = JSON.stringify([cluster, ledgerCA, keys.anchors, keys.signer.kid])
      if (telling !== told) options.onTrust(trust)
      told = telling
    }
    return { requeueAfterMs: Math.min(Math.max(nextAt - now(), 100), 3_600_000) }
  }

  const key = 'certificates'
  const all = Object.values(caches) as unknown as Informer<KubeObject>[]
  return createController({
    name: key,
    log,
    metrics: options.metrics,
    reconcile,
    concurrency: 1,
    waitFor: all,
    sources: [
      ...all.map((informer) => source(informer, () => [key])),
      source(services, ({ metadata }) =>
        metadata.namespace === namespace && metadata.name === SERVICE_LEDGER ? [key] : [],
      ),
      {
        synced: async () => {},
        start: (add) => {
          add(key)
          return () => {}
        },
      },
    ],
  })
}
