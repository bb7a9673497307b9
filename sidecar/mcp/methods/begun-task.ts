import { randomUUID } from 'node:crypto'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { GateContext } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { ServerMessage } from '../answer.ts'
import { hasTasks } from '../capabilities.ts'
import type { Finished } from '../outcome.ts'
import type { Agent, RequestScene } from '../ports.ts'
import { MAX_TASK_ID } from './known-tasks.ts'
import { taskState } from './task-state.ts'

/** What makes `params.task` nothing to pass on, as a phrase: only 2025-11-25 has it, and only a time in it. */
export const taskProblem = ({ era }: Pick<Agent, 'era'>, task: unknown): string | undefined => {
  if (task === undefined) return undefined
  if (era !== 'legacy') return 'this revision has no params.task'
  const fits = isObject(task) && Object.entries(task).every(([name, ttl]) => name === 'ttl' && typeof ttl === 'number')
  return fits ? undefined : 'params.task may say nothing but a ttl in milliseconds'
}

const invalid = (detail: string) => new UpstreamFailure('invalid', detail, true)

/** The task a call was answered with, where its server may do so; undefined when it is a result. */
const taskOf = (agent: Agent, params: JsonObject, { message }: ServerMessage): JsonObject | undefined => {
  const { result } = message
  if (!isObject(result)) return undefined
  if (agent.era === 'legacy') return params.task !== undefined && isObject(result.task) ? result.task : undefined
  if (result.resultType !== 'task') return undefined
  if (!hasTasks(agent.capabilities)) throw invalid('it is a task nobody asked for')
  return result
}

/**
 * What has come of a call whose server goes on by itself; undefined when it has answered. Throws UpstreamFailure(invalid)
 * for a task that the agent did not want, or could not be known again.
 */
export const begunTask = (
  { tasks }: Pick<GateContext, 'tasks'>,
  { agent, server }: Pick<RequestScene, 'agent' | 'server'>,
  params: JsonObject,
  answer: ServerMessage,
  isWithheld: boolean,
): Finished | undefined => {
  const task = taskOf(agent, params, answer)
  if (task === undefined) return undefined
  const { taskId } = task
  if (typeof taskId !== 'string' || taskId === '' || taskId.length > MAX_TASK_ID)
    throw invalid(`its task has no id of 1 to ${MAX_TASK_ID} characters`)
  // By what is withheld of one call nothing of another may be had.
  if (tasks.find(server.name, taskId)) throw invalid('its task has the id of another call')
  const state = taskState(task, isWithheld)
  const { message } = answer
  const meta =
    isObject(message.result) && isObject(message.result._meta) && !isWithheld ? message.result._meta : undefined
  const result = agent.era === 'legacy' ? { task: state, ...(meta ? { _meta: meta } : {}) } : state
  return {
    outcome: { outcome: 'task', text: 'The server goes on by itself.' },
    answer: () => ({ ...message, result }),
    task: taskId,
  }
}

/**
 * What has come of a call that its agent wants as a task and that its server, one of 2026-07-28, answered at once: a
 * task that is over, of which this gate keeps what it came to.
 */
export const endedTask = (
  gate: Pick<GateContext, 'now'>,
  { agent }: Pick<RequestScene, 'agent'>,
  params: JsonObject,
  answer: ServerMessage,
  finished: Finished,
): Finished => {
  const { result } = answer.message
  if (params.task === undefined || agent.session?.session.tasks !== true || !isObject(result)) return finished
  const taskId = randomUUID()
  const at = new Date(gate.now()).toISOString()
  const state = {
    taskId,
    status: result.isError === true ? 'failed' : 'completed',
    createdAt: at,
    lastUpdatedAt: at,
    ttl: null,
  }
  return {
    ...finished,
    answer: () => ({ jsonrpc: '2.0', id: answer.message.id!, result: { task: state } }),
    task: taskId,
    came: { state, answer },
  }
}
