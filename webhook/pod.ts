import { LABEL_AGENT, LABEL_AGENT_ID } from '../lib/api/names.ts'
import { UserError } from '../lib/core/errors.ts'
import { injectSidecar } from '../lib/core/pod/inject.ts'
import type { Lookups } from './lookups.ts'
import { allow, type Review, refuse, type Verdict } from './review.ts'

interface AgentPod {
  metadata: { name?: string; labels?: Record<string, string> }
  spec: { initContainers?: { name: string }[]; volumes?: { name: string }[] }
}

/**
 * Puts the sidecar into a pod the operator creates for an agent. The AgentIdentity is read past every cache: its
 * credentialRefs decide what the sidecar can read, and its UID must be the one the pod is labelled with.
 */
export const injectPod = async (review: Review, lookups: Lookups, operator: string): Promise<Verdict> => {
  const pod = review.object as unknown as AgentPod
  const field = `metadata.labels[${LABEL_AGENT}]`
  const name = pod.metadata.labels?.[LABEL_AGENT] ?? ''
  if (review.userInfo.username !== operator)
    return refuse(field, name, 'ReservedName', {
      detail: `pods with the label ${LABEL_AGENT} are made by the operator`,
    })
  const agent = await lookups.agent(review.namespace, name)
  if (!agent) return refuse(field, name, 'NotFound', { what: `AgentIdentity ${review.namespace}/${name}` })
  const id = pod.metadata.labels?.[LABEL_AGENT_ID]
  if (id !== agent.metadata.uid)
    return refuse(`metadata.labels[${LABEL_AGENT_ID}]`, id, 'NotFound', { what: `AgentIdentity ${name} with this UID` })
  try {
    const { initContainers, volumes } = injectSidecar(pod, agent, await lookups.sidecar()).spec
    return allow([
      { op: 'add', path: '/spec/initContainers', value: initContainers },
      { op: 'add', path: '/spec/volumes', value: volumes },
    ])
  } catch (error) {
    if (error instanceof UserError) return refuse('spec.initContainers', undefined, error.code, error.values)
    throw error
  }
}
