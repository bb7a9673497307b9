import type { Workload } from '../../lib/api/gen/types.ts'
import type { Node } from '../../lib/kube/resources.ts'
import type { RuntimeClass } from './world.ts'

type Handlers = { name?: string; features?: { userNamespaces?: boolean } }[]

/**
 * Whether every node the pod can land on says that its runtime has user namespaces: `hostUsers: false` leaves a pod
 * stuck on one that does not. Nodes that taints keep out are counted too: better the host's users than a stuck pod.
 */
export const userNamespaces = (workload: Workload, nodes: Node[], classes: RuntimeClass[]): boolean => {
  const handler = classes.find(({ metadata }) => metadata.name === workload.runtimeClassName)?.handler ?? ''
  const eligible = nodes.filter((node) =>
    Object.entries(workload.nodeSelector ?? {}).every(([key, value]) => node.metadata.labels?.[key] === value),
  )
  const supports = (node: Node) => {
    const handlers = (node.status?.runtimeHandlers ?? []) as Handlers
    return handlers.find(({ name }) => (name ?? '') === handler)?.features?.userNamespaces === true
  }
  return eligible.length > 0 && eligible.every(supports)
}
