import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { create } from '../../lib/kube/objects.ts'
import { resource } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { createNamespace } from '../harness/world.ts'
import { chartDir, helm, PREVIOUS_DIGEST, renderChart, SIDECAR_DIGEST, SYSTEM_NAMESPACE } from '../webhook/chart.ts'

const VARIANTS: [string, string[]][] = [
  ['as it comes', []],
  [
    'two operators, a claim, a collector',
    ['--set', 'operator.replicas=2,ledger.persistence.enabled=false,collector.endpoint=http://c:4318'],
  ],
  ['bare', ['--set', 'webhook.replicas=1,aggregatedRoles=false,networkPolicies=false,image.pullSecrets[0].name=p']],
]
const of = (objects: KubeObject[], kind: string, name: string) => {
  const found = objects.find((o) => o.kind === kind && o.metadata.name === name)
  if (!found) throw new Error(`the chart has no ${kind} ${name}`)
  return found as KubeObject & Record<string, never>
}

describe('rendered', () => {
  test('lint finds nothing', async () => {
    const text = await helm(
      'lint',
      chartDir,
      '--strict',
      '--kube-version',
      '1.34.4',
      '--set',
      `images.sidecar.digest=${SIDECAR_DIGEST}`,
    )
    expect(text).toContain('0 chart(s) failed')
  })

  test.each<[string, string[], RegExp]>([
    ['no sidecar digest', ['--set', 'images.sidecar.digest='], /images\.sidecar\.digest|images\/sidecar\/digest/],
    ['a tag where a digest belongs', ['--set', 'images.sidecar.digest=latest'], /sidecar.digest/],
    ['a value nobody knows', ['--set', 'webhok.replicas=2'], /webhok/],
    ['no webhook at all', ['--set', 'webhook.replicas=0'], /webhook.replicas/],
    ['a policy to pull by that does not exist', ['--set', 'image.pullPolicy=Sometimes'], /image.pullPolicy/],
    ['a collector without scheme', ['--set', 'collector.endpoint=collector:4318'], /collector.endpoint/],
    ['a namespace that cannot be one', ['--set', 'admission.exemptNamespaces={Kube_System}'], /exemptNamespaces/],
  ])('%s is refused by name', async (_, args, words) => {
    const error = await renderChart(...args).catch((e: Error) => e)
    expect((error as Error).message.replaceAll('/', '.')).toMatch(words)
  })

  test('the roles a part brings along are the ones beside its code', () => {
    for (const part of ['operator', 'ledger']) {
      const own = fileURLToPath(new URL(`../../${part}/rbac.yaml`, import.meta.url))
      expect(readFileSync(`${chartDir}/files/${part}-rbac.yaml`, 'utf8')).toBe(readFileSync(own, 'utf8'))
    }
  })

  test('every system pod meets the restricted Pod Security Standard and names its image once', async () => {
    const objects = await renderChart()
    const specs = objects.flatMap((o) => {
      const { spec } = o as { spec?: { template?: { spec: PodSpec }; containers?: unknown } }
      return o.kind === 'Pod' ? [spec as unknown as PodSpec] : spec?.template?.spec ? [spec.template.spec] : []
    })
    expect(specs).toHaveLength(5)
    for (const { securityContext, containers } of specs) {
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
      for (const container of containers)
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
    }
  })

  test('a digest wins over a tag, and old sidecars stay allowed', async () => {
    const objects = await renderChart('--set', `images.webhook.digest=${PREVIOUS_DIGEST},image.tag=v9`)
    const image = (name: string) =>
      (of(objects, 'Deployment', name) as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec
        .containers[0]!.image
    expect(image('remit-webhook')).toBe(`registry.example/remit/webhook@${PREVIOUS_DIGEST}`)
    expect(image('remit-operator')).toBe('registry.example/remit/operator:v9')
    expect(of(objects, 'ConfigMap', 'remit-admission').data).toMatchObject({
      sidecarImage: `registry.example/remit/sidecar@${SIDECAR_DIGEST}`,
      sidecarDigests: `${SIDECAR_DIGEST},${PREVIOUS_DIGEST}`,
    })
  })

  test('every webhook fails closed, in time, and names no caBundle that an upgrade would reset', async () => {
    const hooks = (await renderChart()).filter(({ kind }) => kind?.endsWith('WebhookConfiguration')) as unknown as {
      webhooks: Webhook[]
    }[]
    const all = hooks.flatMap(({ webhooks }) => webhooks)
    expect(all.map((hook) => hook.clientConfig.service.path).sort()).toEqual([
      '/mutate-agentidentity',
      '/mutate-pod',
      '/validate-agentidentity',
      '/validate-agentpolicy',
      '/validate-ownergroup',
      '/validate-workload',
      '/validate-workload',
    ])
    for (const hook of all) {
      expect(hook).toMatchObject({ failurePolicy: 'Fail', timeoutSeconds: 5, sideEffects: 'None' })
      expect(hook.clientConfig).not.toHaveProperty('caBundle')
      expect(hook.matchConditions.length).toBeGreaterThan(0)
    }
  })

  test('each verb of each role has its reason in a comment above it', async () => {
    const text = await helm(
      'template',
      'remit',
      chartDir,
      '--kube-version',
      '1.34.4',
      '--set',
      `images.sidecar.digest=${SIDECAR_DIGEST}`,
    )
    const roles = text.split(/^---$/m).filter((doc) => /^kind: (Cluster)?Role$/m.test(doc))
    expect(roles.length).toBeGreaterThan(6)
    for (const role of roles) {
      const rules = role.slice(role.indexOf('\nrules:') + 7).match(/^(?:#.*\n)*- .*\n(?: .*\n?)*/gm) ?? []
      expect(rules.length).toBeGreaterThan(0)
      // One comment may head two rules that belong together.
      rules.forEach((rule, index) => {
        expect(`${rules[index - 1] ?? ''}${rule}`, role.slice(0, 150)).toContain('#')
      })
      expect(role).not.toMatch(/verbs:.*\*/)
    }
  })
})
interface PodSpec {
  securityContext: object
  containers: { image: string; securityContext: object }[]
}
interface Webhook {
  clientConfig: { service: { path: string } }
  matchConditions: unknown[]
}

describe('against a real API server', () => {
  let api: Apiserver
  beforeAll(async () => {
    api = await startApiserver({ crds: true })
    await createNamespace(api.client, SYSTEM_NAMESPACE, { 'pod-security.kubernetes.io/enforce': 'restricted' })
  }, 60_000)
  afterAll(() => api?.stop())

  test.each(VARIANTS)('every object %s is accepted, without an unknown field', async (_, args) => {
    const plurals = new Map<string, { plural: string; namespaced: boolean }>()
    const objects = await renderChart(...args)
    for (const version of new Set(objects.map((o) => o.apiVersion!))) {
      const path = version.includes('/') ? `/apis/${version}` : `/api/${version}`
      const { resources } = await api.client.request<{
        resources: { name: string; kind: string; namespaced: boolean }[]
      }>('GET', path)
      for (const { name, kind, namespaced } of resources)
        if (!name.includes('/')) plurals.set(`${version} ${kind}`, { plural: name, namespaced })
    }
    const refusals: string[] = []
    for (const object of objects.filter(({ kind }) => kind !== 'CustomResourceDefinition')) {
      const served = plurals.get(`${object.apiVersion} ${object.kind}`)
      if (!served) throw new Error(`${object.kind} is not served`)
      const kind = resource(
        object.apiVersion!,
        object.kind!,
        served.plural,
        served.namespaced ? 'Namespaced' : 'Cluster',
      )
      const query = { dryRun: 'All', fieldValidation: 'Strict' }
      await create(api.client, kind, object, { query }).catch((error) => {
        // A pod needs its ServiceAccount, which a dry run did not leave behind.
        if (!/serviceaccount "remit-\w+" not found/.test(error.message))
          refusals.push(`${object.kind} ${object.metadata.name}: ${error.message}`)
      })
    }
    expect(refusals).toEqual([])
  })
})
