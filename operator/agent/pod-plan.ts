import { ANNOTATION_TEMPLATE } from '../../lib/api/names.ts'
import { type AgentPod, ANNOTATION_BACKOFF, ANNOTATION_RESTARTS, agentPod } from '../../lib/core/pod/agent-pod.ts'
import type { Pod } from '../../lib/kube/resources.ts'
import { isPodOf } from './belongs.ts'
import { podState } from './pod-state.ts'
import { userNamespaces } from './user-namespaces.ts'
import { say, type Verdict } from './verdict.ts'
import type { World } from './world.ts'

export type PodPlan =
  | { do: 'nothing' }
  | { do: 'create'; pod: AgentPod }
  /** A pod that is over is taken away at once and replaced; a running one gets its time to end. */
  | { do: 'replace'; uid: string; pod: AgentPod }
  | { do: 'delete'; uid: string }
export interface PodDecision {
  plan: PodPlan
  verdict: Verdict
  restarts: number
}

/** 10 s doubling to 5 min, as the kubelet backs off; forgotten once a pod ran for 10 min. */
const BASE_MS = 10_000
const MAX_MS = 300_000
const STEADY_MS = 600_000

const number = (pod: Pod | undefined, annotation: string) => Number(pod?.metadata.annotations?.[annotation] ?? 0) || 0

/** What to do about the pod of an agent that nothing stands against. */
export const planPod = (world: World, ready: { account?: string; fenced: boolean }): PodDecision => {
  const agent = world.agent!
  const pod = world.pods.find(isPodOf(agent.metadata.uid))
  const restarts = Math.max(agent.status?.restarts ?? 0, number(pod, ANNOTATION_RESTARTS))
  const make = (counts: { restarts: number; backoff: number }) =>
    agentPod(agent, {
      serviceAccountUID: ready.account ?? '',
      userNamespaces: userNamespaces(agent.spec.workload, world.nodes, world.runtimeClasses),
      ...counts,
    })
  const verdict = (phase: string, reason: string, message: string): Verdict => ({
    stance: 'run',
    phase,
    reason,
    message,
  })
  const starting = (message: string) => verdict('Pending', 'Starting', message)
  const nothing = (told: Verdict): PodDecision => ({ plan: { do: 'nothing' }, verdict: told, restarts })
  const completed = () =>
    nothing(
      verdict('Completed', 'Completed', 'The agent ended with exit code 0; a change of spec.workload starts it again.'),
    )

  if (!ready.account || !ready.fenced) return nothing(starting('Its ServiceAccount and NetworkPolicy are being made.'))
  const { phase, observedGeneration } = agent.status ?? {}
  const over = phase === 'Completed' && observedGeneration === agent.metadata.generation
  if (over && (!pod || pod.metadata.deletionTimestamp)) return completed()
  if (!pod) {
    return {
      plan: { do: 'create', pod: make({ restarts, backoff: 0 }) },
      verdict: starting('Its pod is being made.'),
      restarts,
    }
  }
  const state = podState(pod, world.warnings)
  const uid = pod.metadata.uid ?? ''
  if (state.at === 'Terminating') return nothing(starting('The pod before is ending.'))
  if (
    make({ restarts, backoff: 0 }).metadata.annotations[ANNOTATION_TEMPLATE] !==
    pod.metadata.annotations?.[ANNOTATION_TEMPLATE]
  )
    return {
      plan: { do: 'delete', uid },
      verdict: starting('The workload has changed; its pod is being replaced.'),
      restarts,
    }
  if (state.at === 'Completed') return completed()
  if (state.at === 'Ended') {
    const quick = state.ranMs < STEADY_MS ? number(pod, ANNOTATION_BACKOFF) : 0
    const due = state.endedAt + Math.min(MAX_MS, BASE_MS * 2 ** Math.min(quick, 20))
    if (world.now >= due) {
      const counts = { restarts: restarts + 1, backoff: quick + 1 }
      return {
        plan: { do: 'replace', uid, pod: make(counts) },
        verdict: starting('Its pod is being made again.'),
        restarts: restarts + 1,
      }
    }
    const at = new Date(due).toISOString().replace(/\.\d{3}Z$/, 'Z')
    const told = say('AgentFailing', { ending: state.ending, restarts, at, agent: agent.metadata.name })
    return nothing({ stance: 'run', phase: 'Failing', ...told, until: due })
  }
  if (state.at === 'Stuck') return nothing({ stance: 'run', phase: 'Pending', ...say(state.code, state.values) })
  if (state.at === 'Starting') return nothing(starting(`Not running yet: ${state.detail}.`))
  return nothing(verdict('Running', 'Running', 'The agent runs under its remit.'))
}
