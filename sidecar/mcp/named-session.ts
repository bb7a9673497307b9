import type { IncomingMessage, ServerResponse } from 'node:http'
import { HEADER, RPC } from '../../lib/api/mcp.ts'
import { versionsIn } from '../../lib/core/mirror/version.ts'
import { header, send } from '../../lib/service/http.ts'
import { rpcError } from './messages.ts'
import { isSupportedVersion, PROTOCOL_VERSIONS } from './revision.ts'
import type { Session } from './sessions.ts'

/** The session a request names, or why it cannot have one; answered already when undefined. */
export const sessionOf = (
  known: (id: string) => Session | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  server: string,
): { id: string; session: Session } | undefined => {
  const id = header(request, HEADER.session)
  const versions = versionsIn(request.headersDistinct)
  const version = versions.find((named) => !isSupportedVersion(named))
  if (version !== undefined) {
    send(
      response,
      400,
      rpcError(null, RPC.transport, 'UnsupportedVersion', {
        version: version.slice(0, 20),
        supported: PROTOCOL_VERSIONS.join(', '),
      }),
    )
    return undefined
  }
  if (id === undefined) {
    send(
      response,
      400,
      rpcError(null, RPC.transport, 'MalformedRequest', { detail: 'the Mcp-Session-Id header is missing' }),
    )
    return undefined
  }
  const session = known(id)
  if (!session || session.server !== server) {
    send(response, 404, rpcError(null, RPC.session, 'UnknownSession'))
    return undefined
  }
  if (versions.length > 0 && !versions.includes(session.version)) {
    send(
      response,
      400,
      rpcError(null, RPC.transport, 'MalformedRequest', {
        detail: `the session uses protocol version ${session.version}`,
      }),
    )
    return undefined
  }
  return { id, session }
}
