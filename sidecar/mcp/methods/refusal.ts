import { type RequestId, RPC } from '../../../lib/api/mcp.ts'
import { UserError } from '../../../lib/core/errors.ts'
import type { JsonObject } from '../../../lib/core/json-rpc.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { FAILURE_CODES, SessionGone } from '../forward.ts'
import { rpcError } from '../messages.ts'

/** An error of the way to the server, as the protocol says it; what is our own mistake is thrown on. */
export const refusal = (
  error: unknown,
  { id, server, idleMs }: { id: RequestId; server: string; idleMs: number },
): { body: JsonObject; status: number; error: string } => {
  if (error instanceof SessionGone)
    return { body: rpcError(id, RPC.session, 'UnknownSession'), status: 404, error: 'session' }
  if (error instanceof UserError)
    return { body: rpcError(id, RPC.internal, error.code, error.values), status: 200, error: error.code }
  if (!(error instanceof UpstreamFailure)) throw error
  const values = { server, detail: error.message, seconds: idleMs / 1000 }
  return { body: rpcError(id, RPC.internal, FAILURE_CODES[error.kind], values), status: 200, error: error.kind }
}
