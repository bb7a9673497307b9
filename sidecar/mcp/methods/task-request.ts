import type { DecisionRecord } from '../../../lib/api/receipt.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { fallen, refuse } from '../../../lib/core/standing.ts'
import { visible } from '../../../lib/core/visible.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { redactionsIn } from '../../redactions.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import type { Finished } from '../outcome.ts'
import type { MethodRequest } from './ask-server.ts'
import type { KnownTask } from './known-tasks.ts'
import { carryOut, type OtherStep } from './other.ts'

/** A request about a task that a call of this agent began. */
export interface TaskRequest extends MethodRequest {
  taskId: string
  task: KnownTask
}

/** What may be known of a task may be known as long as its tool may be called; ending it is always possible. */
export const rulingOf = (
  gate: GateContext,
  { server, task, message }: TaskRequest,
): { inForce: InForce; decision: DecisionRecord } => {
  const inForce = gate.authority.current()!
  const { prepared } = inForce
  const what = `${server.name}/${task.tool}`
  if (message.method === 'tasks/cancel')
    return { inForce, decision: { effect: 'Allow', reason: `A task of ${what} may always be given up.` } }
  const stopped = fallen(prepared, gate.now()) ?? gate.history.frozen()
  if (stopped) return { inForce, decision: stopped }
  // A task may take longer than what its server declares is known for; the call was as pinned.
  const definition =
    gate.definitions.find(server, task.tool)?.definition ??
    prepared.pins.find((pin) => pin.server === server.name && pin.tool === task.tool)?.definition
  return visible(prepared, server.name, task.tool, definition)
    ? { inForce, decision: { effect: 'Allow', reason: `The task was begun by the call ${task.intent} of ${what}.` } }
    : { inForce, decision: refuse('NoRuleAllows', { what }) }
}

/** Has a request about a task decided and recorded, made, and what came of it recorded and told. */
export const recordedTask = (
  gate: GateContext,
  request: TaskRequest,
  make: () => Promise<Finished>,
): Promise<string | undefined> => {
  const { message, server, task, taskId, span } = request
  const step: OtherStep = {
    span,
    server: server.name,
    method: message.method,
    about: { type: 'task', name: taskId, intent: task.intent },
    args: { taskId },
    hidden: () => [],
    decide: () => rulingOf(gate, request),
  }
  return carryOut(gate, request, step, make)
}

/** Whether the policy withholds what the task's tool says. */
export const isWithheld = (gate: GateContext, { inForce, server, task }: TaskRequest): boolean =>
  redactionsIn(gate.authority.current() ?? inForce, server.name, task.tool, task.class).results.length > 0

/** The task in an answer, which has to be the one that was asked about. */
export const taskIn = ({ message }: ServerMessage, taskId: string): JsonObject => {
  const { result } = message
  if (!isObject(result) || result.taskId !== taskId)
    throw new UpstreamFailure('invalid', 'it speaks of another task', true)
  return result
}
