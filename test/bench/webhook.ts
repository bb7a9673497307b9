/**
 * Reviews a second and their p50/p99, sent straight to the webhook's port: its own process with real TLS, a real API
 * server behind it. `create` asks the API server twice (SubjectAccessReview, NetworkPolicies), the others never.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create } from '../../lib/kube/objects.ts'
import { agentPolicies, ownerGroups } from '../../lib/kube/resources.ts'
import { startApiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { freePorts } from '../harness/ports.ts'
import { startProcess } from '../harness/process.ts'
import { createNamespace } from '../harness/world.ts'
import { agentIdentity, agentPolicy, ownerGroup } from '../webhook/fixtures.ts'

const NS = 'payments'
const SECONDS = 3
const CONNECTIONS = 8
/** The API server waits 5 s; a tenth of that is already a delay a person notices in `kubectl apply`. */
const WORST_P99_MS = 500

const api = await startApiserver({ crds: true })
const dir = mkdtempSync(join(tmpdir(), 'remit-bench-webhook-'))
const [port, healthPort] = (await freePorts(2)) as [number, number]
await createNamespace(api.client, NS)
await create(api.client, agentPolicies, agentPolicy(NS))
await create(api.client, ownerGroups, ownerGroup(NS))
writeFileSync(join(dir, 'kubeconfig'), await api.kubeconfig(), { mode: 0o600 })
writeFileSync(join(dir, 'tls.crt'), api.serving.cert)
writeFileSync(join(dir, 'tls.key'), api.serving.key, { mode: 0o600 })
const webhook = await startProcess({
  command: process.execPath,
  args: [new URL('../../webhook/main.ts', import.meta.url).pathname],
  logFile: join(dir, 'log'),
  removeOnOrphan: dir,
  env: {
    KUBECONFIG: join(dir, 'kubeconfig'),
    REMIT_TLS_DIR: dir,
    REMIT_HOST: '127.0.0.1',
    REMIT_PORT: String(port),
    REMIT_HEALTH_PORT: String(healthPort),
    REMIT_DRAIN_MS: '0',
    REMIT_LOG_LEVEL: 'error',
  },
})
await eventually(async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok, { timeoutMs: 20_000 })

const review = (kind: string, object: object, oldObject?: object) =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'bench',
      kind: { group: 'remit.dev', version: 'v1alpha1', kind },
      operation: oldObject ? 'UPDATE' : 'CREATE',
      namespace: NS,
      name: 'bench',
      userInfo: { username: 'admin', groups: ['system:masters'] },
      object,
      oldObject: oldObject ?? null,
    },
  })
const agent = agentIdentity(NS, { username: 'admin', at: '2026-11-21T02:00:00Z' })
const work: [name: string, path: string, body: string][] = [
  ['stamp an agent', '/mutate-agentidentity', review('AgentIdentity', agent)],
  ['judge an update of an agent', '/validate-agentidentity', review('AgentIdentity', agent, agent)],
  ['judge a new agent', '/validate-agentidentity', review('AgentIdentity', agent)],
  ['judge a policy', '/validate-agentpolicy', review('AgentPolicy', agentPolicy(NS))],
]

const tls = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, ca: api.ca })
const post = (path: string, body: string) =>
  new Promise<void>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', agent: tls, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () =>
        text.includes('"allowed":true') ? resolve() : reject(new Error(`${path}: ${text.slice(0, 500)}`)),
      )
    })
    sent.once('error', reject)
    sent.end(body)
  })

const measure = async (path: string, body: string, seconds: number) => {
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  const worker = async () => {
    while (performance.now() < end) {
      const start = performance.now()
      await post(path, body)
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) }
}

try {
  for (const [name, path, body] of work) {
    await measure(path, body, 0.5)
    const { perSecond, p50, p99 } = await measure(path, body, SECONDS)
    console.log(
      `${name.padEnd(28)} ${perSecond.toFixed(0).padStart(6)} reviews/s  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms`,
    )
    if (p99 > WORST_P99_MS) {
      console.log(`  p99 is over ${WORST_P99_MS} ms`)
      process.exitCode = 1
    }
  }
} finally {
  tls.destroy()
  await webhook.stop()
  await api.stop()
  rmSync(dir, { recursive: true, force: true })
}
