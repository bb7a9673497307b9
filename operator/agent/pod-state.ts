import { AGENT_CONTAINER, SIDECAR_CONTAINER } from '../../lib/api/names.ts'
import type { ErrorCode, ErrorValues } from '../../lib/core/errors.ts'
import type { LegacyEvent, Pod } from '../../lib/kube/resources.ts'

/** What a pod says about itself, in the order a person would ask. */
export type PodState =
  | { at: 'Terminating' }
  | { at: 'Completed' }
  /** `ending` is a phrase, "exit code 137 (OOMKilled)"; times in milliseconds. */
  | { at: 'Ended'; ending: string; endedAt: number; ranMs: number }
  | { at: 'Stuck'; code: ErrorCode; values: ErrorValues }
  | { at: 'Starting'; detail: string }
  | { at: 'Running' }

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]

const PULL = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
])
const REFUSED = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
])

const time = (text: string | undefined): number | undefined => (text ? Date.parse(text) : undefined)
/** A kubelet's message as the end of a sentence of ours. */
const phrase = (text: string | undefined, otherwise: string) =>
  (text ?? otherwise).trim().replace(/\.+$/, '').slice(0, 500)

const ended = (pod: Pod, agent: ContainerStatus | undefined): PodState => {
  const state = agent?.state?.terminated
  const changed = (pod.status?.conditions ?? []).map((each) => time(each.lastTransitionTime) ?? 0)
  const started = time(state?.startedAt) ?? time(pod.status?.startTime) ?? 0
  const endedAt = time(state?.finishedAt) ?? Math.max(started, ...changed)
  // An evicted pod has a reason of its own and often no container status.
  const reason = pod.status?.reason ?? state?.reason
  const ending = state
    ? `exit code ${state.exitCode}${reason && reason !== 'Error' ? ` (${reason})` : ''}`
    : (reason ?? 'no exit code')
  return { at: 'Ended', ending, endedAt, ranMs: Math.max(0, endedAt - started) }
}

const stuckContainer = (status: ContainerStatus): PodState | undefined => {
  const waiting = status.state?.waiting
  if (!waiting?.reason) return undefined
  const { image, name } = status
  const detail = phrase(waiting.message, waiting.reason)
  if (PULL.has(waiting.reason)) return { at: 'Stuck', code: 'ImageCannotBePulled', values: { image, detail } }
  if (REFUSED.has(waiting.reason)) return { at: 'Stuck', code: 'ContainerRefused', values: { container: name, detail } }
  return undefined
}

/**
 * Secrets are read by the kubelet alone: the operator learns that one is missing from the kubelet's event, and so needs
 * no right to read any team's Secrets.
 */
const stuckVolume = (pod: Pod, warnings: LegacyEvent[]): PodState | undefined => {
  const latest = warnings
    .filter((event) => event.involvedObject?.uid === pod.metadata.uid)
    .sort((a, b) => (time(b.lastTimestamp ?? b.eventTime) ?? 0) - (time(a.lastTimestamp ?? a.eventTime) ?? 0))
    .find((event) => event.reason === 'FailedMount' || event.reason === 'FailedCreatePodSandBox')
  if (!latest) return undefined
  const message = phrase(latest.message, latest.reason ?? '')
  if (latest.reason === 'FailedCreatePodSandBox')
    return { at: 'Stuck', code: 'SandboxRefused', values: { detail: message } }
  const missing = /secret "([^"]+)" not found/.exec(message)
  const key = /references non-existent secret key: (\S+)/.exec(message)
  if (!missing && !key)
    return { at: 'Stuck', code: 'ContainerRefused', values: { container: AGENT_CONTAINER, detail: message } }
  const refs = projectedSecrets(pod)
  const ref = refs.find(({ name, keys }) => (missing ? name === missing[1] : keys.includes(key?.[1] ?? '')))
  const values = {
    name: missing?.[1] ?? ref?.name ?? 'of a credentialRef',
    key: key?.[1] ?? ref?.keys.join(', ') ?? 'any',
    namespace: pod.metadata.namespace ?? '',
  }
  return { at: 'Stuck', code: 'SecretMissing', values }
}

const projectedSecrets = (pod: Pod) =>
  (pod.spec?.volumes ?? []).flatMap((volume) =>
    (volume.projected?.sources ?? []).flatMap(({ secret }) =>
      secret ? [{ name: secret.name ?? '', keys: (secret.items ?? []).map(({ key }) => key) }] : [],
    ),
  )

/** The one thing that matters about a pod now; `warnings` are the kubelet's events about pods. */
export const podState = (pod: Pod, warnings: LegacyEvent[]): PodState => {
  if (pod.metadata.deletionTimestamp) return { at: 'Terminating' }
  const { phase, conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
  const agent = containerStatuses.find(({ name }) => name === AGENT_CONTAINER)
  const sidecar = initContainerStatuses.find(({ name }) => name === SIDECAR_CONTAINER)
  if (phase === 'Succeeded') return { at: 'Completed' }
  if (phase === 'Failed') return ended(pod, agent)
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (unscheduled) {
    const detail = phrase(unscheduled.message, unscheduled.reason ?? 'not scheduled')
    return { at: 'Stuck', code: 'Unschedulable', values: { detail } }
  }
  for (const status of [...initContainerStatuses, ...containerStatuses]) {
    const stuck = stuckContainer(status)
    if (stuck) return stuck
  }
  const crashed = sidecar?.state?.waiting?.reason === 'CrashLoopBackOff' ? sidecar.lastState?.terminated : undefined
  if (crashed)
    return sidecarNotReady(pod, `it ended with exit code ${crashed.exitCode}, ${sidecar?.restartCount} times so far`)
  if (agent?.state?.running) {
    // Its gate is closed, so the agent can do nothing, whatever it is still running.
    if (sidecar && !sidecar.state?.running) return sidecarNotReady(pod, 'it ended and is being started again')
    return { at: 'Running' }
  }
  if (agent?.state?.terminated) return { at: 'Starting', detail: 'the agent has ended and its sidecar is finishing' }
  if (sidecar?.state?.running && !sidecar.started) return { at: 'Starting', detail: 'the sidecar has no remit yet' }
  return stuckVolume(pod, warnings) ?? { at: 'Starting', detail: 'the pod is being started' }
}

const sidecarNotReady = (pod: Pod, detail: string): PodState => ({
  at: 'Stuck',
  code: 'SidecarNotReady',
  values: { detail, agent: pod.metadata.name.replace(/^agent-/, '') },
})
