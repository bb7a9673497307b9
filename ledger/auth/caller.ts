import { UserError } from '../../lib/core/errors.ts'

/** Who a verified ServiceAccount token speaks for. */
export interface TokenCaller {
  /** `system:serviceaccount:<namespace>:<name>` */
  username: string
  namespace: string
  serviceAccount: string
  /** Absent when the token is not bound to a pod. */
  pod?: { name: string; uid: string }
  /** Unix milliseconds. */
  expiresAt: number
}
export interface SidecarCaller {
  namespace: string
  /** Name of the AgentIdentity. */
  agent: string
  podName: string
  podUID: string
  expiresAt: number
}

const PREFIX = 'agent-'

/** The sidecar a token speaks for. @throws UserError Forbidden for any other account or a token that the agent's pod does not hold. */
export const sidecarOf = (caller: TokenCaller): SidecarCaller => {
  const { namespace, serviceAccount, pod, expiresAt } = caller
  if (!serviceAccount.startsWith(PREFIX) || serviceAccount === PREFIX)
    throw new UserError('Forbidden', { detail: 'only agents may' })
  if (!pod) throw new UserError('Forbidden', { detail: 'the token is not bound to a pod' })
  // An agent has one pod, named like its account: one that got in before the admission policies did is none of it.
  if (pod.name !== serviceAccount) throw new UserError('Forbidden', { detail: "the pod is not the agent's" })
  return { namespace, agent: serviceAccount.slice(PREFIX.length), podName: pod.name, podUID: pod.uid, expiresAt }
}
