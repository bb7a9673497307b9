import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, createClient } from '../../lib/kube/client.ts'
import { findCondition } from '../../lib/kube/conditions.ts'
import { loadKubeConfig } from '../../lib/kube/kubeconfig.ts'
import { create, find, get, list, mergePatch, remove } from '../../lib/kube/objects.ts'
import {
  agentIdentities,
  agentPolicies,
  apiServices,
  configMaps,
  mutatingWebhookConfigurations,
  namespaces,
  ownerGroups,
  pods,
  validatingAdmissionPolicies,
  validatingWebhookConfigurations,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { ensureBinaries } from '../../tools/cluster/binaries.ts'
import { run } from '../../tools/cluster/exec.ts'
import { eventually } from '../harness/eventually.ts'
import { chartDir, SYSTEM_NAMESPACE } from '../webhook/chart.ts'
import { agentPolicy, ownerGroup } from '../webhook/fixtures.ts'
import { config } from './support/config.ts'
import { IDLE } from './support/probe.ts'

// Install, upgrade with a new sidecar while an agent runs, uninstall, install again. Takes the running installation over
// and stops every agent of the cluster meanwhile, so it comes last.
const NS = 'e2e-chart'
const DOOMED = 'e2e-chart-doomed'
const AGENT = 'steady'
const NEXT_SIDECAR = `sha256:${'3'.repeat(64)}`

/** What the running installation was given, as far as the test reads it. */
interface Values {
  image: { prefix: string }
  images: Record<'webhook' | 'sidecar', { digest: string }>
}
const dir = mkdtempSync(join(tmpdir(), 'remit-e2e-chart-'))
let client: Client
let values: Values

const helm = async (...args: string[]) => {
  const { helm: binary } = await ensureBinaries(['helm'])
  const where = ['--namespace', SYSTEM_NAMESPACE, '--kubeconfig', config.kubeconfig, '--kube-context', config.context]
  return run(binary, [...args, ...where])
}
const install = (sidecarDigest: string) =>
  helm(
    ...['upgrade', '--install', 'remit', chartDir, '--create-namespace', '--wait', '--timeout', '3m'],
    ...['--values', join(dir, 'values.json'), '--set', `images.sidecar.digest=${sidecarDigest}`],
  )
const agentPod = () => find(client, pods, { namespace: NS, name: `agent-${AGENT}` })
const ready = async () => {
  const agent = (await get(client, agentIdentities, { namespace: NS, name: AGENT })) as KubeObject & {
    status?: { conditions: [] }
  }
  return findCondition(agent.status?.conditions, 'Ready')?.status === 'True'
}
const caBundles = async () =>
  JSON.stringify([
    (await get(client, validatingWebhookConfigurations, { name: 'remit' })).webhooks!.map(
      (w) => w.clientConfig.caBundle,
    ),
    (await get(client, mutatingWebhookConfigurations, { name: 'remit' })).webhooks!.map((w) => w.clientConfig.caBundle),
    (await get(client, apiServices, { name: 'v1alpha1.evidence.remit.dev' })).spec!.caBundle,
  ])

beforeAll(async () => {
  client = createClient(loadKubeConfig({ from: 'files', files: [config.kubeconfig], context: config.context }))
  const { stdout } = await helm('get', 'values', 'remit', '--output', 'json')
  values = JSON.parse(stdout)
  writeFileSync(join(dir, 'values.json'), stdout)
}, 300_000)
afterAll(async () => {
  if (client) for (const name of [NS, DOOMED]) await remove(client, namespaces, { name })
  client?.close()
  rmSync(dir, { recursive: true, force: true })
})

test('it installs over what runs, its own test passes, and an agent runs', async () => {
  await install(values.images.sidecar.digest)
  const { stdout } = await helm('test', 'remit', '--logs', '--timeout', '90s')
  // Helm prints the log once for every object of the test.
  expect(new Set(stdout.match(/^ok {5}.*$/gm)).size).toBe(3)
  expect(stdout).not.toContain('FAILED')
  const workload = {
    image: `${values.image.prefix}/webhook@${values.images.webhook.digest}`,
    command: ['/usr/bin/node', '-e', IDLE],
  }
  const spec = { ownerRef: { name: 'billing-team' }, policyRefs: [{ name: 'billing' }], workload }
  for (const namespace of [NS, DOOMED]) {
    await create(client, namespaces, { metadata: { name: namespace } })
    await create(client, ownerGroups, ownerGroup(namespace))
    await create(client, agentPolicies, agentPolicy(namespace))
    await create(client, agentIdentities, { metadata: { name: AGENT, namespace }, spec } as KubeObject)
  }
  await eventually(ready, { timeoutMs: 60_000, what: 'agent ready' })
}, 300_000)

test('an upgrade with a new sidecar leaves the running agent alone and keeps what the operator wrote', async () => {
  const before = await agentPod()
  const bundles = await caBundles()
  expect(bundles).not.toContain('null')
  await install(NEXT_SIDECAR)
  expect(await caBundles()).toBe(bundles)
  const after = await agentPod()
  expect(after?.metadata.uid).toBe(before?.metadata.uid)
  expect(after?.status?.phase).toBe('Running')
  const admission = await get(client, configMaps, { namespace: SYSTEM_NAMESPACE, name: 'remit-admission' })
  expect(admission.data!.sidecarDigests!.split(',').slice(0, 2)).toEqual([NEXT_SIDECAR, values.images.sidecar.digest])
  // A pod with the sidecar from before can still be changed where changes are allowed, and end.
  await mergePatch(
    client,
    pods,
    { namespace: NS, name: `agent-${AGENT}` },
    { metadata: { annotations: { note: 'x' } } },
  )
  await remove(client, pods, { namespace: NS, name: `agent-${AGENT}` })
  const next = await eventually(
    async () => {
      const pod = await agentPod()
      return pod && pod.metadata.uid !== before?.metadata.uid ? pod : undefined
    },
    { timeoutMs: 90_000, what: 'the next pod' },
  )
  expect(next.spec!.initContainers![0]!.image).toContain(NEXT_SIDECAR)
  await install(values.images.sidecar.digest)
  await remove(client, pods, { namespace: NS, name: `agent-${AGENT}` })
  await eventually(ready, { timeoutMs: 90_000, what: 'agent ready again' })
}, 400_000)

test('uninstalling stops agents, keeps what teams wrote, and leaves nothing stuck or in the way', async () => {
  await helm('uninstall', 'remit', '--wait', '--timeout', '4m')
  expect(await agentPod()).toBeUndefined()
  const agent = await get(client, agentIdentities, { namespace: NS, name: AGENT })
  expect(agent.metadata.finalizers ?? []).toEqual([])
  expect(await find(client, mutatingWebhookConfigurations, { name: 'remit' })).toBeUndefined()
  expect(await find(client, validatingWebhookConfigurations, { name: 'remit' })).toBeUndefined()
  expect(await find(client, apiServices, { name: 'v1alpha1.evidence.remit.dev' })).toBeUndefined()
  const policies = (await list(client, validatingAdmissionPolicies)).items.map((o) => o.metadata.name)
  expect(policies.filter((name) => name.startsWith('remit-'))).toEqual([])
  await remove(client, namespaces, { name: DOOMED })
  await eventually(async () => (await find(client, namespaces, { name: DOOMED })) === undefined, {
    timeoutMs: 90_000,
    what: 'a namespace with an agent, gone without Remit',
  })
}, 400_000)

test('installed again, it runs the agents that were kept', async () => {
  await install(values.images.sidecar.digest)
  await eventually(ready, { timeoutMs: 90_000, what: 'the kept agent ready' })
}, 300_000)
