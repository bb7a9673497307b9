import { expect, test } from 'vitest'
import type { AgentIdentity } from '../../api/gen/types.ts'
import { injectSidecar } from './inject.ts'

const agent: AgentIdentity = {
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'AgentIdentity',
  metadata: { name: 'billing-bot', namespace: 'payments', uid: '7f1c' },
  spec: {
    ownerRef: { name: 'billing-team' },
    policyRefs: [{ name: 'billing' }],
    workload: { image: 'bot@sha256:00' },
    servers: [
      {
        name: 'billing',
        service: { name: 'billing-mcp', port: 8080 },
        credentialRef: { name: 'billing-token', key: 'token' },
      },
      { name: 'everything', service: { name: 'everything', port: 3001 } },
    ],
    models: [{ name: 'main', url: 'https://192.0.2.1/v1', credentialRef: { name: 'model-key', key: 'key' } }],
    createdBy: { username: 'ana', at: '2026-11-21T02:00:00Z' },
  },
}
const settings = {
  image: 'r.example/sidecar@sha256:11',
  cluster: 'c0ffee',
  ledgerURL: 'https://10.96.0.9:8443',
  ledgerName: 'remit-ledger.remit-system.svc',
  ledgerCA: 'PEM',
  anchors: '[]',
}
interface Bare {
  metadata: { name: string }
  spec: {
    containers: { name: string; volumeMounts: { name: string; mountPath: string }[] }[]
    volumes: { name: string; emptyDir?: object }[]
    initContainers?: { name: string }[]
  }
}
const bare: Bare = {
  metadata: { name: 'agent-billing-bot' },
  spec: {
    containers: [{ name: 'agent', volumeMounts: [{ name: 'work', mountPath: '/work' }] }],
    volumes: [{ name: 'work', emptyDir: {} }],
  },
}

test('the sidecar comes first, restarts, and holds the agent back until its gate is ready', () => {
  const pod = injectSidecar({ ...bare, spec: { ...bare.spec, initContainers: [{ name: 'other' }] } }, agent, settings)
  expect(pod.spec.initContainers.map((c) => c.name)).toEqual(['remit-sidecar', 'other'])
  expect(pod.spec.initContainers[0]).toMatchObject({
    restartPolicy: 'Always',
    image: settings.image,
    startupProbe: { httpGet: { path: '/readyz', port: 7481 } },
    livenessProbe: { httpGet: { path: '/livez', port: 7481 } },
    securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  })
})

test('credentials are mounted under the names the sidecar reads, and only those the agent declares', () => {
  const volumes = injectSidecar(bare, agent, settings).spec.volumes as unknown[]
  expect(volumes).toContainEqual({
    name: 'remit-credentials',
    projected: {
      sources: [
        { secret: { name: 'billing-token', items: [{ key: 'token', path: 'server-billing' }] } },
        { secret: { name: 'model-key', items: [{ key: 'key', path: 'model-main' }] } },
      ],
    },
  })
  expect(volumes).toContainEqual({
    name: 'remit-token',
    projected: {
      sources: [{ serviceAccountToken: { audience: 'remit-ledger', expirationSeconds: 3600, path: 'token' } }],
    },
  })
})

test('the agent container and its own volumes are left as they were', () => {
  const pod = injectSidecar(bare, agent, settings)
  expect(pod.spec.containers).toEqual(bare.spec.containers)
  expect(pod.spec.volumes[0]).toEqual({ name: 'work', emptyDir: {} })
  expect(JSON.stringify(pod.spec.containers)).not.toContain('remit-')
})

test('injecting twice is injecting once, and a planted sidecar or volume is replaced', () => {
  const once = injectSidecar(bare, agent, settings)
  expect(injectSidecar(once, agent, settings)).toEqual(once)
  const planted = {
    ...bare,
    spec: {
      ...bare.spec,
      initContainers: [{ name: 'remit-sidecar', image: 'evil' }],
      volumes: [...bare.spec.volumes, { name: 'remit-token', emptyDir: {} }],
    },
  }
  expect(injectSidecar(planted, agent, settings)).toEqual(once)
})

test('the pod given is not changed', () => {
  const before = structuredClone(bare)
  injectSidecar(bare, agent, settings)
  expect(bare).toEqual(before)
})

test('the environment names the agent, the cluster, the ledger and the keys to trust', () => {
  const [container] = injectSidecar(bare, agent, settings).spec.initContainers as unknown as {
    env: { name: string; value?: string }[]
  }[]
  const env = Object.fromEntries(container!.env.map((e) => [e.name, e.value]))
  expect(env).toMatchObject({
    REMIT_CLUSTER: 'c0ffee',
    REMIT_NAMESPACE: 'payments',
    REMIT_AGENT: 'billing-bot',
    REMIT_AGENT_ID: '7f1c',
    REMIT_LEDGER_URL: settings.ledgerURL,
    REMIT_LEDGER_NAME: settings.ledgerName,
    REMIT_LEDGER_CA: 'PEM',
    REMIT_ANCHORS: '[]',
    REMIT_SIDECAR_IMAGE: settings.image,
  })
  expect(container!.env.filter((e) => e.value === undefined).map((e) => e.name)).toEqual([
    'POD_NAME',
    'POD_UID',
    'POD_IP',
    'NODE_NAME',
  ])
})
