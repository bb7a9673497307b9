/** What of a networking.k8s.io/v1 NetworkPolicy decides whether it opens agents' pods. */
export interface NetworkPolicyShape {
  metadata: { name: string }
  spec?: {
    podSelector?: {
      matchLabels?: Record<string, string>
      matchExpressions?: { key: string; operator: string; values?: string[] }[]
    }
    ingress?: unknown[]
    egress?: unknown[]
  }
}

/**
 * Labels agents' pods may carry: the admission policy remit-agent-pods holds them to the first two, and the API server
 * copies the third from the node when it binds a pod (Kubernetes 1.35).
 */
const carried = (key: string) =>
  ['remit.dev/', 'app.kubernetes.io/', 'topology.kubernetes.io/'].some((prefix) => key.startsWith(prefix))

/**
 * Whether a NetworkPolicy that is not an agent's own would let agents' pods reach, or be reached by, something more.
 * NetworkPolicies add up, so one that selects these pods and allows anything widens them. It does not when it allows
 * nothing, or when its selector asks for what agents' pods never have. The admission policy remit-network-policies
 * says the same in CEL.
 */
export const opensAgents = ({ metadata, spec }: NetworkPolicyShape): boolean => {
  if (metadata.name.startsWith('agent-')) return false
  if (!spec?.ingress?.length && !spec?.egress?.length) return false
  const { matchLabels = {}, matchExpressions = [] } = spec.podSelector ?? {}
  const excluded =
    Object.keys(matchLabels).some((key) => !carried(key)) ||
    matchExpressions.some(
      ({ key, operator }) =>
        (key === 'remit.dev/agent' && operator === 'DoesNotExist') ||
        (['In', 'Exists'].includes(operator) && !carried(key)),
    )
  return !excluded
}
