import type { EventFields, EventRecorder } from '../../lib/kube/events.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { AgentStatus } from './decide.ts'
import type { World } from './world.ts'

const CALM = ['Starting', 'Completed', 'AgentSuspended', 'Deleting']

/** What has changed for the agent between two statuses, each said once: a freeze, its end, and why it is or is not ready. */
export const changes = ({ agent }: World, status: AgentStatus): EventFields[] => {
  const pair = (type: string) => ({
    before: agent?.status?.conditions?.find((each) => each.type === type),
    after: status.conditions.find((each) => each.type === type),
  })
  const told: EventFields[] = []
  const frozen = pair('Frozen')
  if (frozen.after && (frozen.before?.status === 'True') !== (frozen.after.status === 'True')) {
    const [type, reason] =
      frozen.after.status === 'True' ? (['Warning', frozen.after.reason] as const) : (['Normal', 'Unfrozen'] as const)
    told.push({ type, reason, action: 'Reconcile', note: frozen.after.message })
  }
  const { before, after } = pair('Ready')
  // A freeze has been said already.
  if (after && after.reason !== 'AgentFrozen' && (before?.reason !== after.reason || before.status !== after.status)) {
    const calm = after.status === 'True' || CALM.includes(after.reason)
    // That a new agent is on its way is no news: the next event tells how that ended.
    if (before || after.reason !== 'Starting')
      told.push({ type: calm ? 'Normal' : 'Warning', reason: after.reason, action: 'Reconcile', note: after.message })
  }
  return told
}

/** Says it where `kubectl describe` shows it. */
export const tellChange = (events: EventRecorder, world: World, status: AgentStatus): void => {
  for (const change of changes(world, status)) events.record(world.agent as unknown as KubeObject, change)
}
