import type { ServerResponse } from 'node:http'
import { type RequestId, RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import type { ErrorCode, ErrorValues } from '../../../lib/core/errors.ts'
import { fallen } from '../../../lib/core/standing.ts'
import { send } from '../../../lib/service/http.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { rpcError } from '../messages.ts'

/** Refuses by HTTP status, JSON-RPC code and the catalog's sentence. */
export const refusing =
  (response: ServerResponse, id: RequestId | null) =>
  (status: number, rpcCode: number, code: ErrorCode, values?: ErrorValues): undefined => {
    send(response, status, rpcError(id, rpcCode, code, values))
    return undefined
  }

const ALWAYS = new Set(['tools/call', 'tasks/cancel', 'notifications/cancelled'])

/**
 * The remit and the server a request is for; undefined when it was refused. Without authority a call is decided and its
 * denial recorded, and giving one up is always possible; nothing else leaves.
 */
export const admitted = (
  gate: GateContext,
  refuse: ReturnType<typeof refusing>,
  name: string,
  method: string,
): { inForce: InForce; server: RemitServer | undefined } | undefined => {
  const inForce = gate.authority.current()
  if (!inForce) return refuse(503, RPC.internal, 'NoRemit')
  const server = inForce.remit.servers.find((declared) => declared.name === name)
  if (!server && method !== 'tools/call')
    return refuse(404, RPC.invalidParams, 'UnknownServer', { server: name.slice(0, 63) })
  const over = fallen(inForce.prepared, gate.now())
  if (over && !ALWAYS.has(method)) return refuse(403, RPC.internal, over.code, { at: String(inForce.remit.expiresAt) })
  return { inForce, server }
}
