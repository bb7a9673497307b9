import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Remit } from '../../lib/api/remit.ts'
import type { Anchor } from '../../lib/core/jws.ts'
import { verifyRemit } from '../../lib/core/jws.ts'
import type { Client } from '../../lib/kube/client.ts'
import { create, find, get, remove } from '../../lib/kube/objects.ts'
import {
  apiServices,
  configMaps,
  mutatingWebhookConfigurations,
  namespaces,
  secrets,
  services,
  validatingWebhookConfigurations,
} from '../../lib/kube/resources.ts'
import { splitBundle } from '../../operator/certificates/issue.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { company, podMade, readAgent, readRemit, SYSTEM, startCluster, startOperator } from './harness.ts'

let cluster: Apiserver & { operatorClient: Client }
let client: Client
beforeAll(async () => {
  cluster = await startCluster()
  client = cluster.client
  const clientConfig = { service: { name: 'remit-webhook', namespace: SYSTEM, path: '/x' } }
  const webhook = { name: 'x.remit.dev', clientConfig, admissionReviewVersions: ['v1'], sideEffects: 'None', rules: [] }
  const webhooks = [webhook, { ...webhook, name: 'y.remit.dev' }]
  await create(client, mutatingWebhookConfigurations, { metadata: { name: 'remit' }, webhooks })
  await create(client, validatingWebhookConfigurations, { metadata: { name: 'remit' }, webhooks })
  await create(client, apiServices, {
    metadata: { name: 'v1alpha1.evidence.remit.dev' },
    spec: {
      group: 'evidence.remit.dev',
      version: 'v1alpha1',
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      service: { name: 'remit-ledger', namespace: SYSTEM, port: 8443 },
    },
  })
}, 60_000)
afterAll(() => cluster?.stop())

const secret = async (name: string) => {
  const found = await find(client, secrets, { namespace: SYSTEM, name })
  return (key: string) => Buffer.from(found?.data?.[key] ?? '', 'base64').toString()
}
const bundles = async () => {
  const text = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString()
  const mutating = (await get(client, mutatingWebhookConfigurations, { name: 'remit' })).webhooks ?? []
  const validating = (await get(client, validatingWebhookConfigurations, { name: 'remit' })).webhooks ?? []
  const api = (await get(client, apiServices, { name: 'v1alpha1.evidence.remit.dev' })).spec?.caBundle
  return [
    ...mutating.map((w) => text(w.clientConfig.caBundle)),
    ...validating.map((w) => text(w.clientConfig.caBundle)),
    text(api),
  ]
}
const trust = () => get(client, configMaps, { namespace: SYSTEM, name: 'remit-trust' })
const issuedBy = (leaf: string, bundle: string) =>
  splitBundle(bundle).findIndex((ca) => new X509Certificate(leaf).verify(new X509Certificate(ca).publicKey))

test('the authority, its certificates and what trusts them are there, for the names they serve', async () => {
  const operator = startOperator(cluster.operatorClient)
  await eventually(trust, { timeoutMs: 15_000 })
  const ca = (await secret('remit-ca'))('ca.crt')
  for (const name of ['remit-webhook-tls', 'remit-ledger-tls']) {
    const at = await secret(name)
    expect(issuedBy(at('tls.crt'), ca)).toBe(0)
    expect(at('ca.crt')).toBe(ca)
  }
  const ledgerIP = (await get(client, services, { namespace: SYSTEM, name: 'remit-ledger' })).spec?.clusterIP ?? ''
  const ledger = new X509Certificate((await secret('remit-ledger-tls'))('tls.crt'))
  expect(ledger.checkHost('remit-ledger.remit-system.svc')).toBeDefined()
  expect(ledger.checkIP(ledgerIP)).toBe(ledgerIP)
  expect(
    new X509Certificate((await secret('remit-webhook-tls'))('tls.crt')).checkHost('remit-webhook.remit-system.svc'),
  ).toBeDefined()
  expect(new Set(await bundles())).toEqual(new Set([ca]))
  expect((await trust()).data).toMatchObject({
    cluster: (await get(client, namespaces, { name: 'kube-system' })).metadata.uid,
    ledgerURL: `https://${ledgerIP}:8443`,
    ledgerName: 'remit-ledger.remit-system.svc',
    'ca.pem': ca,
  })

  await remove(client, secrets, { namespace: SYSTEM, name: 'remit-ledger-tls' })
  await remove(client, configMaps, { namespace: SYSTEM, name: 'remit-trust' })
  await eventually(async () => (await secret('remit-ledger-tls'))('tls.crt') !== '')
  await eventually(trust)
  await operator.stop()
})

test('rotation: whoever must trust the next knows it before it is used, and remits are never signed by a stranger', async () => {
  const operator = startOperator(cluster.operatorClient, {
    REMIT_CA_SECONDS: '12',
    REMIT_CERTIFICATE_SECONDS: '6',
    REMIT_SIGNING_KEY_SECONDS: '9',
  })
  await company(client, 'rotate', { agent: {} })
  const pod = await podMade(client, 'rotate')
  const { metadata } = await readAgent(client, 'rotate')
  const cluster_ = (await trust()).data?.cluster ?? ''
  const authorities = new Set<string>()
  const signers = new Set<string>()
  let anchors: Anchor[] = JSON.parse((await trust()).data?.['anchors.json'] ?? '[]')
  let lastBundles = await bundles()
  const end = Date.now() + 25_000
  while (Date.now() < end && (authorities.size < 3 || signers.size < 3)) {
    const leaf = (await secret('remit-ledger-tls'))('tls.crt')
    // Who trusts now, and who last looked a moment ago, both believe what is served.
    if (leaf && new X509Certificate(leaf).validToDate.getTime() > Date.now())
      for (const bundle of lastBundles) expect(issuedBy(leaf, bundle)).toBeGreaterThanOrEqual(0)
    authorities.add(new X509Certificate(leaf).issuer)
    const stored = await readRemit(client, 'rotate')
    if (stored) {
      const remit = stored.spec.remit as unknown as Remit
      const signed = { remit, signature: stored.spec.signature }
      // As a running sidecar does: by the anchors of the remit it has, then on to those of the new one.
      expect(verifyRemit(signed, anchors, { cluster: cluster_, agentId: metadata.uid ?? '' })).toBeTruthy()
      anchors = remit.anchors ?? anchors
      signers.add(JSON.parse(Buffer.from(stored.spec.signature.split('.')[0] ?? '', 'base64url').toString()).kid)
    }
    await new Promise((resolve) => setTimeout(resolve, 150))
    lastBundles = await bundles()
  }
  expect(authorities.size).toBeGreaterThanOrEqual(3)
  expect(signers.size).toBeGreaterThanOrEqual(3)
  expect((await podMade(client, 'rotate')).metadata.uid).toBe(pod.metadata.uid)
  await operator.stop()
}, 60_000)

test('with cert-manager the operator makes no certificate and publishes what is there', async () => {
  for (const name of ['remit-ca', 'remit-webhook-tls', 'remit-ledger-tls'])
    await remove(client, secrets, { namespace: SYSTEM, name })
  const operator = startOperator(cluster.operatorClient, { REMIT_CERTIFICATES: 'cert-manager' })
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  for (const name of ['remit-webhook-tls', 'remit-ledger-tls']) {
    const data = {
      'tls.crt': base64(cluster.serving.cert),
      'tls.key': base64(cluster.serving.key),
      'ca.crt': base64(cluster.ca),
    }
    await create(client, secrets, { metadata: { name, namespace: SYSTEM }, type: 'kubernetes.io/tls', data })
  }
  await eventually(async () => (await bundles()).every((bundle) => bundle === cluster.ca), { timeoutMs: 15_000 })
  await eventually(async () => (await trust()).data?.['ca.pem'] === cluster.ca)
  expect(await find(client, secrets, { namespace: SYSTEM, name: 'remit-ca' })).toBeUndefined()
  expect((await secret('remit-ledger-tls'))('tls.crt')).toBe(cluster.serving.cert)
  await operator.stop()
})
