import type { ServerResponse } from 'node:http'
import type { RemitServer } from '../../lib/api/remit.ts'
import type { GateContext } from '../context.ts'
import { UpstreamFailure } from '../upstream.ts'
import { notify } from './forward.ts'
import { send } from './http.ts'
import type { InFlight } from './in-flight.ts'
import { isRequestId, type Message, RPC, rpcError } from './messages.ts'
import type { Session } from './sessions.ts'

/** Passes a notification of an agent on; one that gives up a call ends it here too, after a moment for the server. */
export const handleNotification = async (
  gate: GateContext,
  message: Extract<Message, { kind: 'notification' }>,
  server: RemitServer,
  { id, session }: { id: string; session: Session },
  response: ServerResponse,
  inFlight: InFlight,
): Promise<void> => {
  const requestId = message.params?.requestId
  try {
    const status = await notify(gate, { server, session }, message.raw)
    const give =
      message.method === 'notifications/cancelled' && isRequestId(requestId) ? inFlight.giver(id, requestId) : undefined
    if (give)
      setTimeout(
        () => give(new UpstreamFailure('cancelled', 'cancelled by the agent', true)),
        gate.limits.cancelGraceMs,
      ).unref()
    if (status === 404) send(response, 404, rpcError(null, RPC.session, 'UnknownSession'))
    else if (status >= 200 && status < 300) response.writeHead(202).end()
    else
      send(
        response,
        502,
        rpcError(null, RPC.internal, 'UpstreamInvalid', { server: server.name, detail: `HTTP ${status}` }),
      )
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error
    send(
      response,
      502,
      rpcError(null, RPC.internal, 'UpstreamUnreachable', { server: server.name, detail: error.message }),
    )
  }
}
