import { offersAny } from '../../../lib/core/decide-other.ts'
import { isRequestId, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import type { Message } from '../messages.ts'
import type { Era } from '../ports.ts'
import { fateOf } from './table.ts'

/** Of progress the numbers: a text would be something that no rule about answers has let pass. */
const progressed = ({ progressToken, progress, total }: JsonObject): JsonObject | undefined =>
  isRequestId(progressToken) && typeof progress === 'number'
    ? { progressToken, progress, ...(typeof total === 'number' ? { total } : {}) }
    : undefined

/** What a server gets of an agent's notification, which nobody decides or records: no words. Undefined: nothing. */
export const agentNotification = (
  gate: GateContext,
  { prepared }: InForce,
  server: string,
  { method, params = {} }: Extract<Message, { kind: 'notification' }>,
  era: Era,
): JsonObject | undefined => {
  const fate = fateOf('agent', 'notification', method, era)
  if (fate === 'passed') return { jsonrpc: '2.0', method }
  if (fate !== 'filtered') return undefined
  if (method === 'notifications/cancelled')
    return isRequestId(params.requestId)
      ? { jsonrpc: '2.0', method, params: { requestId: params.requestId } }
      : undefined
  if (method === 'notifications/roots/list_changed')
    return offersAny(prepared, 'request', server, 'roots/list') ? { jsonrpc: '2.0', method } : undefined
  const told = gate.asked.isWaiting(server) ? progressed(params) : undefined
  return told && { jsonrpc: '2.0', method, params: told }
}
