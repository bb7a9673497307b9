/** A person with one of the cluster's own roles in one namespace. */
export const roleFor = (user: string, namespace: string, role: 'view' | 'edit' | 'admin' | 'remit-policy-user') => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { name: `${user.split('@')[0]}-${role}`, namespace },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
})
