import type { AgentIdentity, Model, Volume, Workload } from '../../api/gen/types.ts'
import {
  AGENT_CONTAINER,
  ANNOTATION_TEMPLATE,
  API_VERSION,
  agentObjectName,
  LABEL_AGENT,
  LABEL_AGENT_ID,
  PORT_GATE,
} from '../../api/names.ts'
import { canonical, sha256hex } from '../canonical.ts'

/** How often the agent's pod had been replaced after it ended when this one was made. */
export const ANNOTATION_RESTARTS = 'remit.dev/restarts'
/** How many of those came in quick succession: the delay before the next follows from it. */
export const ANNOTATION_BACKOFF = 'remit.dev/backoff'

/** A user that no node and no image should know: what `nonroot` images run as. */
const DEFAULT_USER = 65532

export interface AgentPodOptions {
  /** UID of the agent's ServiceAccount: a pod's tokens die with the account they were made for. */
  serviceAccountUID: string
  /** Only `true` when every node the pod can land on reports user namespaces. */
  userNamespaces?: boolean
  restarts?: number
  backoff?: number
}

/** core/v1 Pod, as far as Remit writes it. */
export interface AgentPod {
  apiVersion: 'v1'
  kind: 'Pod'
  metadata: {
    name: string
    namespace: string
    labels: Record<string, string>
    annotations: Record<string, string>
    ownerReferences: {
      apiVersion: string
      kind: string
      name: string
      uid: string
      controller: true
      blockOwnerDeletion: true
    }[]
  }
  spec: Record<string, unknown>
}

/** A name as part of an environment variable's: upper case, `_` for all else. */
const variable = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '_')

const modelVariables = (models: Model[]): { name: string; value: string }[] =>
  (['OpenAI', 'Anthropic'] as const).flatMap((api) => {
    const first = models.find((model) => (model.api ?? 'OpenAI') === api)
    if (!first) return []
    const prefix = api.toUpperCase()
    return [
      { name: `${prefix}_BASE_URL`, value: `http://127.0.0.1:${PORT_GATE}/llm/${first.name}` },
      // SDKs refuse to start without a key; the sidecar puts the real one in its place.
      { name: `${prefix}_API_KEY`, value: 'remit' },
    ]
  })

const environment = (agent: AgentIdentity) => {
  const gate = `http://127.0.0.1:${PORT_GATE}`
  const ours = [
    { name: 'REMIT_AGENT_ID', value: agent.metadata.uid ?? '' },
    { name: 'REMIT_MCP_URL', value: `${gate}/mcp` },
    ...(agent.spec.servers ?? []).map(({ name }) => ({
      name: `REMIT_MCP_${variable(name)}`,
      value: `${gate}/mcp/${name}`,
    })),
    { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: `${gate}/otlp` },
    ...modelVariables(agent.spec.models ?? []),
  ]
  const names = new Set(ours.map(({ name }) => name))
  // Ours win: an agent pointed past the gate would only meet a closed network, hard to understand at 2 a.m.
  return [...(agent.spec.workload.env ?? []).filter(({ name }) => !names.has(name)), ...ours]
}

/** Only the kinds a workload may have: whatever else an object smuggled in is left out. */
const volume = ({ name, emptyDir, configMap, persistentVolumeClaim }: Volume) => {
  if (emptyDir) return { name, emptyDir }
  if (configMap) return { name, configMap }
  return { name, persistentVolumeClaim }
}

const given = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>

const podSpec = (agent: AgentIdentity, workload: Workload) => {
  const user = workload.runAsUser ?? DEFAULT_USER
  const claims = (workload.volumes ?? []).some((v) => v.persistentVolumeClaim)
  return {
    serviceAccountName: agentObjectName(agent.metadata.name),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['127.0.0.1'] },
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      // A claim's files belong to root unless the kubelet hands them over.
      ...(claims ? { fsGroup: user } : {}),
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...given({
      imagePullSecrets: workload.imagePullSecrets,
      runtimeClassName: workload.runtimeClassName,
      nodeSelector: workload.nodeSelector,
      tolerations: workload.tolerations,
      priorityClassName: workload.priorityClassName,
      terminationGracePeriodSeconds: workload.terminationGracePeriodSeconds,
    }),
    ...(workload.volumes?.length ? { volumes: workload.volumes.map(volume) } : {}),
    containers: [
      {
        name: AGENT_CONTAINER,
        image: workload.image,
        ...given({
          imagePullPolicy: workload.imagePullPolicy,
          command: workload.command,
          args: workload.args,
          workingDir: workload.workingDir,
          resources: workload.resources,
          volumeMounts: workload.volumeMounts?.map(({ name, mountPath, subPath, readOnly }) =>
            given({ name, mountPath, subPath, readOnly }),
          ),
        }),
        env: environment(agent),
        terminationMessagePolicy: 'FallbackToLogsOnError',
        securityContext: {
          allowPrivilegeEscalation: false,
          runAsNonRoot: true,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        },
      },
    ],
  }
}

/**
 * The pod of an agent as the operator creates it, before the webhook adds the sidecar. It passes the `restricted` Pod
 * Security Standard. The annotation `remit.dev/template` is a hash of what the workload asks for: a running pod with
 * another hash is out of date. What only tells where and how often it runs (`userNamespaces`, `restarts`, `backoff`) is not in it,
 * so that a new node does not restart an agent.
 */
export const agentPod = (agent: AgentIdentity, options: AgentPodOptions): AgentPod => {
  const { name, namespace = '', uid = '' } = agent.metadata
  const spec = podSpec(agent, agent.spec.workload)
  // The sidecar's view of credentials is part of the pod too, though the webhook adds it.
  const credentials = [...(agent.spec.servers ?? []), ...(agent.spec.models ?? [])].map(({ name, credentialRef }) => [
    name,
    credentialRef?.name ?? '',
    credentialRef?.key ?? '',
  ])
  const template = sha256hex(canonical([spec, credentials, options.serviceAccountUID]))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: agentObjectName(name),
      namespace,
      labels: { [LABEL_AGENT]: name, [LABEL_AGENT_ID]: uid },
      annotations: {
        [ANNOTATION_TEMPLATE]: template.slice(0, 32),
        [ANNOTATION_RESTARTS]: String(options.restarts ?? 0),
        [ANNOTATION_BACKOFF]: String(options.backoff ?? 0),
      },
      ownerReferences: [ownerReference(agent)],
    },
    spec: options.userNamespaces ? { ...spec, hostUsers: false } : spec,
  }
}

/** The reference by which all an agent has is collected with it. */
export const ownerReference = (agent: AgentIdentity) => ({
  apiVersion: API_VERSION,
  kind: 'AgentIdentity',
  name: agent.metadata.name,
  uid: agent.metadata.uid ?? '',
  controller: true as const,
  blockOwnerDeletion: true as const,
})
