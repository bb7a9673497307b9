import type { AgentIdentity } from '../../api/gen/types.ts'
import { agentObjectName, FINALIZER_NETWORK, LABEL_AGENT, LABEL_AGENT_ID } from '../../api/names.ts'
import { ownerReference } from './agent-pod.ts'

/** Where an agent pod may dial: the pods behind a Service, or addresses. Ports are TCP, numbers or a container port's name. */
export type EgressTarget = { ports: (number | string)[] } & (
  | { pods: Record<string, string>; namespace?: string }
  | { cidr: string }
)

export interface NetworkPolicy {
  apiVersion: 'networking.k8s.io/v1'
  kind: 'NetworkPolicy'
  metadata: {
    name: string
    namespace: string
    labels: Record<string, string>
    finalizers: string[]
    ownerReferences: ReturnType<typeof ownerReference>[]
  }
  spec: {
    podSelector: { matchLabels: Record<string, string> }
    policyTypes: ['Ingress', 'Egress']
    ingress: []
    egress: EgressRule[]
  }
}
export interface EgressRule {
  to: object[]
  ports?: { protocol: 'TCP'; port: number | string }[]
}

const rule = (target: EgressTarget): EgressRule => ({
  to: [
    'cidr' in target
      ? { ipBlock: { cidr: target.cidr } }
      : {
          podSelector: { matchLabels: target.pods },
          ...(target.namespace
            ? { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': target.namespace } } }
            : {}),
        },
  ],
  ...(target.ports.length
    ? { ports: [...new Set(target.ports)].sort(byText).map((port) => ({ protocol: 'TCP' as const, port })) }
    : {}),
})
const byText = (a: unknown, b: unknown) => (String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0)

/**
 * The fence around an agent's pod: nothing in, and out only to `targets`. A target whose selector is empty would mean
 * every pod of a namespace, and one without ports every port: the first is left out, the second only holds for a CIDR
 * whose policy says so. Rules are sorted, so that the order things were found in never causes a write.
 */
export const networkPolicy = (agent: AgentIdentity, targets: EgressTarget[], suffix = ''): NetworkPolicy => {
  const { name, namespace = '', uid = '' } = agent.metadata
  const rules = targets
    .filter((target) => 'cidr' in target || (Object.keys(target.pods).length > 0 && target.ports.length > 0))
    .map((target) => JSON.stringify(rule(target)))
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: agentObjectName(name) + suffix,
      namespace,
      labels: { [LABEL_AGENT]: name, [LABEL_AGENT_ID]: uid },
      finalizers: [FINALIZER_NETWORK],
      ownerReferences: [ownerReference(agent)],
    },
    spec: {
      podSelector: { matchLabels: { [LABEL_AGENT_ID]: uid } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [...new Set(rules)].sort().map((text) => JSON.parse(text) as EgressRule),
    },
  }
}
