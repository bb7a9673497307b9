import { type RequestId, RPC } from '../../lib/api/mcp.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import type { Logger } from '../../lib/service/log.ts'
import { Unavailable } from '../child/child.ts'
import { lostCall, rpcError } from '../json/rpc.ts'

/** The answer to a call that the server was given and has not answered for so many milliseconds. */
export const lateAnswer = (id: RequestId, ms: number): string =>
  JSON.stringify(lostCall(id, `No answer within ${ms / 1000} s`, 'unknown'))

/** What a client is told of whatever kept its request from the server. Of a bug of ours the log says more. */
export const failureOf = (log: Logger, error: unknown, id: RequestId): { status: number; body: JsonObject } => {
  if (error instanceof Unavailable) return { status: 503, body: lostCall(id, error.message, 'none') }
  log.error({ err: error }, 'a request could not be handled')
  return { status: 500, body: rpcError(id, RPC.internal, 'This is a bug of the bridge; its log says more.') }
}
