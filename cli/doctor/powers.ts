import { list } from '../../lib/kube/objects.ts'
import { resource } from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type DoctorCheck, ok, warn } from './finding.ts'

interface Rule {
  apiGroups?: string[]
  resources?: string[]
  verbs: string[]
}
interface ClusterRole extends KubeObject {
  rules?: Rule[] | null
}
interface ClusterRoleBinding extends KubeObject {
  roleRef: { kind: string; name: string }
  subjects?: { kind: string; name: string; namespace?: string }[] | null
}
const clusterRoles = resource<ClusterRole>('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', 'Cluster')
const clusterRoleBindings = resource<ClusterRoleBinding>(
  'rbac.authorization.k8s.io/v1',
  'ClusterRoleBinding',
  'clusterrolebindings',
  'Cluster',
)

const has = (list: string[] | undefined, value: string) => Boolean(list?.some((item) => item === value || item === '*'))

/** What lets someone act as anyone in spite of Remit, and why. */
const POWERS: { power: string; given: (rule: Rule) => boolean }[] = [
  {
    power: 'impersonate others',
    given: (r) =>
      has(r.verbs, 'impersonate') && ['users', 'groups', 'serviceaccounts', '*'].some((x) => r.resources?.includes(x)),
  },
  {
    power: 'reach pods through nodes/proxy',
    given: (r) => has(r.apiGroups, '') && has(r.resources, 'nodes/proxy') && r.verbs.length > 0,
  },
  {
    power: 'change admission policies',
    given: (r) =>
      has(r.apiGroups, 'admissionregistration.k8s.io') &&
      has(r.resources, 'validatingadmissionpolicies') &&
      ['update', 'patch', 'delete'].some((v) => has(r.verbs, v)),
  },
]

/** Subjects of kube-system and the API server's own groups are the cluster itself. */
const isControlPlane = ({ name, namespace }: { name: string; namespace?: string }) =>
  namespace === 'kube-system' || /^system:(?!authenticated|unauthenticated|serviceaccounts)/.test(name)

/** Who could act around Remit. Nothing is wrong with having such people; nobody should be among them by accident. */
export const powersCheck: DoctorCheck = {
  name: 'powers',
  run: async (client) => {
    const [roles, bindings] = await Promise.all([list(client, clusterRoles), list(client, clusterRoleBindings)])
    const byName = new Map(roles.items.map((role) => [role.metadata.name, role.rules ?? []]))
    const findings = bindings.items.flatMap(({ roleRef, subjects }) => {
      const powers = POWERS.filter(({ given }) => (byName.get(roleRef.name) ?? []).some(given)).map(
        ({ power }) => power,
      )
      if (!powers.length) return []
      return (subjects ?? [])
        .filter((subject) => !isControlPlane(subject))
        .map(({ kind, name, namespace }) =>
          warn(
            `${kind} ${namespace ? `${namespace}/` : ''}${name} may ${powers.join(', ')} (by ${roleRef.name})`,
            'See that this is meant: Remit cannot bound who holds it.',
          ),
        )
    })
    return findings.length ? findings : [ok('nobody outside the control plane can act as anyone')]
  },
}
