import type { AgentIdentity } from '../../lib/api/gen/types.ts'
import { agentPod } from '../../lib/core/pod/agent-pod.ts'
import { injectSidecar, type SidecarSettings } from '../../lib/core/pod/inject.ts'
import type { Pod } from '../../lib/kube/resources.ts'
import { SIDECAR_DIGEST } from './chart.ts'

export const AGENT = 'billing-bot'
export const POD = `agent-${AGENT}`

/** An AgentIdentity as a team writes it; `createdBy` only where a test plays the webhook. */
export const agentIdentity = (namespace: string, createdBy?: object, name = AGENT) => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'AgentIdentity',
  metadata: { name, namespace },
  spec: {
    ownerRef: { name: 'billing-team' },
    policyRefs: [{ name: 'billing' }],
    servers: [
      {
        name: 'billing',
        service: { name: 'billing-mcp', port: 8080 },
        credentialRef: { name: 'billing-token', key: 'token' },
      },
    ],
    workload: {
      image: 'registry.example/billing-bot:1',
      resources: { requests: { cpu: '100m' } },
      env: [{ name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } }],
      volumes: [{ name: 'work', emptyDir: {} }],
      volumeMounts: [{ name: 'work', mountPath: '/work' }],
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      nodeSelector: { disk: 'fast' },
    },
    ...(createdBy ? { createdBy } : {}),
  },
})

export const settings: SidecarSettings = {
  image: `registry.example/remit/sidecar@${SIDECAR_DIGEST}`,
  cluster: 'c0ffee',
  ledgerURL: 'https://10.96.0.9:8443',
  ledgerName: 'remit-ledger.remit-system.svc',
  ledgerCA: 'PEM',
  anchors: '[]',
}

/** The pod as the operator makes it and the webhook completes it. */
export const injectedPod = (agent: AgentIdentity, image = settings.image): Pod =>
  injectSidecar(bareAgentPod(agent) as unknown as { spec: object }, agent, { ...settings, image }) as unknown as Pod

/** The same without the sidecar, as the webhook is given it. */
export const bareAgentPod = (agent: AgentIdentity): Pod =>
  agentPod(agent, { serviceAccountUID: 'sa' }) as unknown as Pod

export const agentPolicy = (namespace: string) => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'AgentPolicy',
  metadata: { name: 'billing', namespace },
  spec: { tools: [{ name: 'read', match: { servers: ['billing'], tools: ['get_*'] }, effect: 'Allow' }] },
})

export const ownerGroup = (namespace: string) => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'OwnerGroup',
  metadata: { name: 'billing-team', namespace },
  spec: {
    members: [{ name: 'ana', identities: [{ kind: 'User', name: 'ana@corp.example' }] }],
    onCall: { owner: 'ana' },
  },
})

/** An owner group in which nobody answers until the year 9000. */
export const nobody = (namespace: string) => {
  const group = ownerGroup(namespace)
  const rotation = { timeZone: 'UTC', start: '9000-01-01T00:00', every: { unit: 'Week' }, order: [['ana']] }
  return { ...group, spec: { ...group.spec, onCall: { rotation } } }
}
