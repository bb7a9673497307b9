import { type JsonObject, lostCall, type RequestId, RPC, rpcError } from '../json/rpc.ts'
import { Unavailable } from '../pool.ts'

/** What a client is told when no process could be given its request. Rethrows what is a bug. */
export const unavailable = (error: unknown, id: RequestId | null): { status: number; body: JsonObject } => {
  if (!(error instanceof Unavailable)) throw error
  return {
    status: 503,
    body: id === null ? rpcError(null, RPC.internal, `${error.message}.`) : lostCall(id, error.message, 'none'),
  }
}
