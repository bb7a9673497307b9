import { expect, test } from 'vitest'
import type { AgentIdentity, AgentIdentitySpec } from '../../api/gen/types.ts'
import { agentPod } from './agent-pod.ts'

const agent = (spec: Partial<AgentIdentitySpec> = {}, name = 'bot') =>
  ({
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentIdentity',
    metadata: { name, namespace: 'payments', uid: 'u1' },
    spec: { workload: { image: 'i:1' }, ...spec },
  }) as AgentIdentity
const options = { serviceAccountUID: 's1' }
const template = (spec?: Partial<AgentIdentitySpec>, more = {}) =>
  agentPod(agent(spec), { ...options, ...more }).metadata.annotations['remit.dev/template']
const container = (spec?: Partial<AgentIdentitySpec>) =>
  (agentPod(agent(spec), options).spec as { containers: { env: { name: string; value?: string }[] }[] }).containers[0]!
const env = (spec?: Partial<AgentIdentitySpec>) =>
  Object.fromEntries(container(spec).env.map(({ name, value }) => [name, value]))

test('it passes the restricted Pod Security Standard and holds no token, no name service and no links', () => {
  const { spec } = agentPod(agent(), options)
  expect(spec).toMatchObject({
    serviceAccountName: 'agent-bot',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    dnsPolicy: 'None',
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
  })
  expect(container()).toMatchObject({
    name: 'agent',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  })
  expect(spec).not.toHaveProperty('hostUsers')
  expect(agentPod(agent(), { ...options, userNamespaces: true }).spec).toHaveProperty('hostUsers', false)
})

test('the gate is where SDKs look, and an own variable cannot point past it', () => {
  const models = [{ name: 'main' }, { name: 'other' }, { name: 'claude', api: 'Anthropic' as const }]
  const given = env({
    servers: [{ name: 'billing-eu' }],
    models,
    workload: {
      image: 'i',
      env: [
        { name: 'OPENAI_BASE_URL', value: 'https://api.openai.com' },
        { name: 'TONE', value: 'kind' },
      ],
    },
  })
  expect(given).toEqual({
    TONE: 'kind',
    REMIT_AGENT_ID: 'u1',
    REMIT_MCP_URL: 'http://127.0.0.1:7480/mcp',
    REMIT_MCP_BILLING_EU: 'http://127.0.0.1:7480/mcp/billing-eu',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:7480/otlp',
    OPENAI_BASE_URL: 'http://127.0.0.1:7480/llm/main',
    OPENAI_API_KEY: 'remit',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:7480/llm/claude',
    ANTHROPIC_API_KEY: 'remit',
  })
})

test('volumes of other kinds are left out, and a claim belongs to the user', () => {
  const volumes = [
    { name: 'x', emptyDir: {}, hostPath: { path: '/' } },
    { name: 'y', persistentVolumeClaim: { claimName: 'c' } },
  ]
  const { spec } = agentPod(agent({ workload: { image: 'i', volumes } }), options)
  expect(spec.volumes).toEqual([
    { name: 'x', emptyDir: {} },
    { name: 'y', persistentVolumeClaim: { claimName: 'c' } },
  ])
  expect(spec.securityContext).toMatchObject({ fsGroup: 65532 })
})

test.each([
  ['purpose', { purpose: 'another' }, true],
  ['policies', { policyRefs: [{ name: 'other' }] }, true],
  ['suspension', { suspended: true }, true],
  ['image', { workload: { image: 'i:2' } }, false],
  ['a server', { servers: [{ name: 'billing', url: 'http://192.0.2.1' }] }, false],
  ['the order of keys', { workload: { image: 'i:1', resources: undefined } }, true],
])('a pod stays or not when there is another: %s', (_, spec, stays) => {
  expect(template(spec) === template()).toBe(stays)
})

test('a pod is replaced for other credentials or another account, not for nodes or counts', () => {
  const server = (key: string) => ({ servers: [{ name: 'billing', credentialRef: { name: 's', key } }] })
  expect(template(server('a'))).not.toBe(template(server('b')))
  expect(template({}, { serviceAccountUID: 's2' })).not.toBe(template())
  expect(template({}, { userNamespaces: true, restarts: 3, backoff: 2 })).toBe(template())
})
