import type { AgentIdentity } from '../../api/gen/types.ts'
import {
  AUDIENCE_LEDGER,
  PATH_CREDENTIALS,
  PATH_SPOOL,
  PATH_TOKEN,
  PORT_HEALTH,
  SIDECAR_CONTAINER,
  VOLUME_CREDENTIALS,
  VOLUME_SPOOL,
  VOLUME_TOKEN,
} from '../../api/names.ts'

/** What the sidecar of any agent in this cluster is told; from the ConfigMaps `remit-admission` and `remit-trust`. */
export interface SidecarSettings {
  /** A digest reference (`name@sha256:...`); the admission policies accept no other. */
  image: string
  imagePullPolicy?: string
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
  logLevel?: string
  /** UID of the kube-system namespace. */
  cluster: string
  ledgerURL: string
  ledgerName: string
  /** PEM */
  ledgerCA: string
  /** JSON array of public JWKs. */
  anchors: string
}

interface Named {
  name: string
}
interface PodShape {
  spec: { initContainers?: Named[]; volumes?: Named[] }
}

const DEFAULT_RESOURCES = { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '160Mi' } }
const SPOOL_LIMIT = '1Gi'
const OURS = [VOLUME_TOKEN, VOLUME_CREDENTIALS, VOLUME_SPOOL] as readonly string[]

const environment = (agent: AgentIdentity, settings: SidecarSettings) => {
  const field = (name: string, fieldPath: string) => ({
    name,
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
  })
  const value = (name: string, text: string) => ({ name, value: text })
  return [
    value('REMIT_CLUSTER', settings.cluster),
    value('REMIT_NAMESPACE', agent.metadata.namespace ?? ''),
    value('REMIT_AGENT', agent.metadata.name),
    value('REMIT_AGENT_ID', agent.metadata.uid ?? ''),
    value('REMIT_LEDGER_URL', settings.ledgerURL),
    value('REMIT_LEDGER_NAME', settings.ledgerName),
    value('REMIT_LEDGER_CA', settings.ledgerCA),
    value('REMIT_ANCHORS', settings.anchors),
    value('REMIT_SIDECAR_IMAGE', settings.image),
    value('REMIT_LOG_LEVEL', settings.logLevel ?? 'info'),
    field('POD_NAME', 'metadata.name'),
    field('POD_UID', 'metadata.uid'),
    field('POD_IP', 'status.podIP'),
    field('NODE_NAME', 'spec.nodeName'),
  ]
}

const sidecar = (agent: AgentIdentity, settings: SidecarSettings) => {
  const probe = (path: string) => ({ httpGet: { path, port: PORT_HEALTH, scheme: 'HTTP' }, timeoutSeconds: 2 })
  return {
    name: SIDECAR_CONTAINER,
    image: settings.image,
    imagePullPolicy: settings.imagePullPolicy ?? 'IfNotPresent',
    restartPolicy: 'Always',
    env: environment(agent, settings),
    ports: [{ name: 'remit-health', containerPort: PORT_HEALTH, protocol: 'TCP' }],
    // The agent container is started only when this has succeeded: no agent without its gate.
    startupProbe: { ...probe('/readyz'), periodSeconds: 1, failureThreshold: 300 },
    livenessProbe: { ...probe('/livez'), periodSeconds: 10, failureThreshold: 3 },
    resources: settings.resources ?? DEFAULT_RESOURCES,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 65532,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: VOLUME_TOKEN, mountPath: PATH_TOKEN, readOnly: true },
      { name: VOLUME_CREDENTIALS, mountPath: PATH_CREDENTIALS, readOnly: true },
      { name: VOLUME_SPOOL, mountPath: PATH_SPOOL },
    ],
  }
}

const volumes = (agent: AgentIdentity) => {
  const secret = (kind: string, of: { name: string; credentialRef?: { name: string; key: string } }) =>
    of.credentialRef
      ? [
          {
            secret: { name: of.credentialRef.name, items: [{ key: of.credentialRef.key, path: `${kind}-${of.name}` }] },
          },
        ]
      : []
  const credentials = [
    ...(agent.spec.servers ?? []).flatMap((server) => secret('server', server)),
    ...(agent.spec.models ?? []).flatMap((model) => secret('model', model)),
  ]
  return [
    {
      name: VOLUME_TOKEN,
      projected: {
        sources: [{ serviceAccountToken: { audience: AUDIENCE_LEDGER, expirationSeconds: 3600, path: 'token' } }],
      },
    },
    { name: VOLUME_CREDENTIALS, projected: { sources: credentials } },
    { name: VOLUME_SPOOL, emptyDir: { sizeLimit: SPOOL_LIMIT } },
  ]
}

/**
 * The pod with the sidecar as its first init container (a native sidecar) and the three volumes only it mounts.
 * Whatever already has one of those names is replaced, so injecting twice is injecting once.
 *
 * @param pod   an agent's pod as the operator made it; not changed
 * @param agent the AgentIdentity the pod is of, with its UID: its credentialRefs say what the sidecar can read
 */
export const injectSidecar = <P extends PodShape>(pod: P, agent: AgentIdentity, settings: SidecarSettings): P => ({
  ...pod,
  spec: {
    ...pod.spec,
    initContainers: [
      sidecar(agent, settings),
      ...(pod.spec.initContainers ?? []).filter((c) => c.name !== SIDECAR_CONTAINER),
    ],
    volumes: [...(pod.spec.volumes ?? []).filter((v) => !OURS.includes(v.name)), ...volumes(agent)],
  },
})
