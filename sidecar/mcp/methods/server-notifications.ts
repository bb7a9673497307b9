import { offered, offersAny } from '../../../lib/core/decide-other.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { redactsResultsOf } from '../../../lib/core/redact.ts'
import type { GateContext } from '../../context.ts'
import { redactionsIn } from '../../redactions.ts'
import type { ServerMessage } from '../answer.ts'
import type { RequestScene } from '../ports.ts'
import { isTaskOver } from '../render-task.ts'
import { withholdNotification } from '../withhold.ts'
import { fateOf } from './table.ts'
import { taskState } from './task-state.ts'

const TOOLS_CHANGED = 'notifications/tools/list_changed'

const told = (method: string, params?: JsonObject): string =>
  JSON.stringify({ jsonrpc: '2.0', method, ...(params === undefined ? {} : { params }) })

/** What of its params passes, or whether the whole does as it is; undefined when nothing does. */
const passing = (
  gate: GateContext,
  { inForce, server: { name: server } }: RequestScene,
  method: string,
  params: JsonObject,
): JsonObject | 'bare' | undefined => {
  const { prepared } = inForce
  switch (method) {
    case TOOLS_CHANGED:
      return 'bare'
    case 'notifications/resources/list_changed':
      return offersAny(prepared, 'resource', server) ? 'bare' : undefined
    case 'notifications/prompts/list_changed':
      return offersAny(prepared, 'prompt', server) ? 'bare' : undefined
    case 'notifications/resources/updated': {
      const { uri } = params
      return typeof uri === 'string' && offered(prepared, 'resource', server, uri) ? { uri } : undefined
    }
    case 'notifications/elicitation/complete': {
      const { elicitationId: id } = params
      return typeof id === 'string' && gate.asked.completed(server, id) ? { elicitationId: id } : undefined
    }
    case 'notifications/tasks/status': {
      const { taskId } = params
      const task = typeof taskId === 'string' ? gate.tasks.find(server, taskId) : undefined
      if (!task) return undefined
      if (isTaskOver(params)) task.ended = true
      return taskState(params, redactionsIn(inForce, server, task.tool, task.class).results.length > 0)
    }
    default:
      return undefined
  }
}

/**
 * What an agent gets of a server's notification: those about lists, resources, elicitations and tasks with what they are
 * for and nothing else, if it is something the agent may know of; undefined when nothing passes, which is counted.
 */
export const serverNotification = (
  gate: GateContext,
  scene: RequestScene,
  { message, raw }: ServerMessage,
): string | undefined => {
  const method = String(message.method)
  if (method === TOOLS_CHANGED) gate.definitions.changed(scene.server)
  const current = { ...scene, inForce: gate.authority.current() ?? scene.inForce }
  const fate = fateOf('server', 'notification', method, scene.agent.era)
  if (fate === 'passed')
    return redactsResultsOf(current.inForce, scene.server.name) ? withholdNotification(message, raw) : raw
  const passes =
    fate === 'filtered' ? passing(gate, current, method, isObject(message.params) ? message.params : {}) : undefined
  if (passes === undefined) {
    if (fate !== 'kept') gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'server' })
    return undefined
  }
  return passes === 'bare' ? told(method) : told(method, passes)
}
