import { describe, type ErrorCode, type ErrorValues } from '../../lib/core/errors.ts'
import type { Problem } from '../../lib/core/problem.ts'
import type { Facts } from './facts.ts'
import type { World } from './world.ts'

/**
 * What happens to the agent's pod and authority:
 * `run`   a pod of the current template, under the compiled remit;
 * `keep`  the pod there is stays, but none is made: something it needs is missing;
 * `hold`  the pod there is stays without any authority and with a closed fence: nobody answers for it, or nothing bounds it;
 * `stop`  no pod.
 */
export type Stance = 'run' | 'keep' | 'hold' | 'stop'
export interface Verdict {
  stance: Stance
  phase: string
  /** Of the condition Ready. */
  reason: string
  message: string
  /** Milliseconds since the epoch; when to look again though nothing has changed. */
  until?: number
}

/** Message and remedy of a catalog entry as one text for a condition. */
export const say = (code: ErrorCode, values: ErrorValues = {}): { reason: ErrorCode; message: string } => {
  const { message, remedy } = describe(code, values)
  return { reason: code, message: `${message} ${remedy}` }
}

/** Problems as a condition tells them: the first three in full, the rest counted. */
export const sayProblems = (problems: Problem[]): { reason: ErrorCode; message: string } => {
  const told = problems.slice(0, 3).map(({ object, field, value, detail, fix }) => {
    const shown = value === undefined ? '' : ` (${value})`
    return `${object ? `${object}: ` : ''}${field}${shown}: ${detail}. ${fix}`
  })
  const more = problems.length > 3 ? [`And ${problems.length - 3} more.`] : []
  return { reason: problems[0]!.code, message: [...told, ...more].join(' ') }
}

type Step = (world: World, facts: Facts) => Verdict | undefined

/** The AgentIdentity is being deleted: authority ends first, then the pod, then everything else. */
const deleting: Step = ({ agent }) =>
  agent?.metadata.deletionTimestamp
    ? {
        stance: 'stop',
        phase: 'Terminating',
        reason: 'Deleting',
        message: 'The agent is being deleted; its pod ends first.',
      }
    : undefined

/** A person said so. */
const suspended: Step = ({ agent }) =>
  agent?.spec.suspended ? { stance: 'stop', phase: 'Suspended', ...say('AgentSuspended') } : undefined

/** Its time is over. */
const expired: Step = ({ agent, now }) => {
  const at = agent?.spec.expiresAt
  if (!at || Date.parse(at) > now) return undefined
  return { stance: 'stop', phase: 'Expired', ...say('RemitExpired', { at }) }
}

/** Without someone who answers for it an agent has no authority, also one that runs already. */
const unowned: Step = (_, { ownerProblems }) =>
  ownerProblems.length > 0 ? { stance: 'hold', phase: 'Held', ...sayProblems(ownerProblems) } : undefined

/** Without a policy that can be enforced whole, nothing would bound it. */
const unbounded: Step = (_, { policyProblems }) =>
  policyProblems.length > 0 ? { stance: 'hold', phase: 'Held', ...sayProblems(policyProblems) } : undefined

/** The operator's own keys, certificates or ledger are not there yet. */
const untrusted: Step = ({ trust, ledger }) => {
  const missing = !trust
    ? 'its keys and certificates are being made'
    : !ledger
      ? 'the Service of the ledger does not exist'
      : ''
  return missing ? { stance: 'keep', phase: 'Pending', ...say('NotReady', { detail: missing }) } : undefined
}

/** A server or model it declares is not there: it would start only to fail. */
const unreachable: Step = (_, { endpointProblems }) => {
  const first = endpointProblems[0]
  return first ? { stance: 'keep', phase: 'Pending', ...say(first.code, first.values) } : undefined
}

/** The API server refuses pods that name an unknown RuntimeClass; this says it before. */
const unsandboxed: Step = ({ agent, runtimeClasses }) => {
  const name = agent?.spec.workload.runtimeClassName
  if (!name || runtimeClasses.some(({ metadata }) => metadata.name === name)) return undefined
  return { stance: 'keep', phase: 'Pending', ...say('SandboxRefused', { detail: `there is no RuntimeClass ${name}` }) }
}

/** In this order; the first that has something to say decides. */
const chain: Step[] = [deleting, suspended, expired, unowned, unbounded, untrusted, unreachable, unsandboxed]

/** Whether the agent may run at all, whatever its pod is doing; undefined when nothing is against it. */
export const obstacle: Step = (world, facts) => {
  for (const step of chain) {
    const verdict = step(world, facts)
    if (verdict) return verdict
  }
  return undefined
}

/**
 * What is shown while a breaker is open: the agent may run, but every call is denied, and that is what a person must know
 * first. One that ended well stays so.
 */
export const frozenVerdict = (verdict: Verdict, { freeze }: Facts, { agent }: World): Verdict => {
  if (!freeze || verdict.stance !== 'run' || verdict.reason === 'Completed') return verdict
  const { name, namespace } = agent!.metadata
  const { at, detail } = freeze
  return { ...verdict, phase: 'Frozen', ...say('AgentFrozen', { at, detail, agent: `${name} -n ${namespace}` }) }
}
