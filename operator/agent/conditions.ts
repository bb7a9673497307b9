import { CONDITIONS, POD_REASONS, type Row, type Status } from './condition-table.ts'
import type { Facts } from './facts.ts'
import { lastFreeze } from './freeze.ts'
import { frozenVerdict, sayProblems, type Verdict } from './verdict.ts'
import type { World } from './world.ts'

export interface Told {
  type: string
  status: Status
  reason: string
  message: string
}

type Type = keyof typeof CONDITIONS

/** A condition whose reason is in the table; another one is our bug, not a thing to show. */
const tell = (type: Type, reason: string, message: string): Told => {
  const row = (CONDITIONS[type] as Record<string, Row>)[reason]
  if (!row) throw new Error(`the condition ${type} has no reason ${reason}`)
  return { type, status: row.status, reason, message }
}

const owned = ({ duty, ownerProblems }: Facts): Told => {
  if (ownerProblems.length > 0 || !duty) {
    const { reason, message } =
      ownerProblems.length > 0 ? sayProblems(ownerProblems) : { reason: 'NobodyOnCall', message: 'Nobody is on call.' }
    return tell('Owned', reason, message)
  }
  const until = duty.until ? ` until ${duty.until}` : ''
  const standing = duty.source === 'fallback' ? ' as the fallback' : ''
  return tell('Owned', 'OnCall', `${duty.names.join(', ')} answers for this agent${standing}${until}.`)
}

const accepted = ({ policyProblems, ownerProblems }: Facts, { agent }: World): Told => {
  if (policyProblems.length > 0) {
    const { reason, message } = sayProblems(policyProblems)
    return tell('PolicyAccepted', reason in CONDITIONS.PolicyAccepted ? reason : 'PolicyInvalid', message)
  }
  if (ownerProblems.length > 0)
    return tell('PolicyAccepted', 'NotCompiled', 'Nobody answers for the agent, so nothing was compiled.')
  return tell('PolicyAccepted', 'Accepted', `Obeys ${agent!.spec.policyRefs.map(({ name }) => name).join(', ')}.`)
}

const sandbox = (verdict: Verdict, hasPod: boolean): Told => {
  if (verdict.reason in POD_REASONS) return tell('SandboxReady', verdict.reason, verdict.message)
  if (verdict.reason === 'Running')
    return tell('SandboxReady', 'SandboxRunning', 'The pod is on a node and its containers run.')
  if (verdict.reason === 'Starting') return tell('SandboxReady', 'Starting', verdict.message)
  return hasPod && (verdict.stance === 'hold' || verdict.stance === 'keep')
    ? tell('SandboxReady', 'SandboxRunning', 'The pod is kept, though the agent is not ready.')
    : tell('SandboxReady', 'NoPod', verdict.message)
}

const ready = ({ reason, message }: Verdict): Told => tell('Ready', reason, message)

const frozen = ({ freeze }: Facts, world: World): Told => {
  const { name, namespace } = world.agent!.metadata
  if (freeze) {
    const { at, policy, detail } = freeze
    const lift = `kubectl remit unfreeze ${name} -n ${namespace}`
    const message = `The breaker of ${policy} opened at ${at}: ${detail}. Every call is denied. Once you know why: ${lift}`
    return tell('Frozen', 'BreakerOpen', message)
  }
  const last = lastFreeze(world)
  const { unfrozenAt, unfrozenBy } = world.agent!.spec
  const lifted = last ? `The freeze of ${last.at} was lifted by ${unfrozenBy?.username} at ${unfrozenAt}. ` : ''
  return tell('Frozen', 'NotFrozen', `${lifted}To stop the agent now, set spec.suspended to true.`)
}

/** All seven, in the order a person reads them. */
export const conditionsOf = (world: World, facts: Facts, verdict: Verdict, hasPod: boolean): Told[] => [
  ready(frozenVerdict(verdict, facts, world)),
  owned(facts),
  accepted(facts, world),
  sandbox(verdict, hasPod),
  tell('Granted', 'NotRequired', 'This version asks for no grant: the policies alone bound the agent.'),
  tell(
    'EgressEnforced',
    'NotMeasured',
    'The NetworkPolicy is written; whether the network obeys it is not measured by this version.',
  ),
  frozen(facts, world),
]
