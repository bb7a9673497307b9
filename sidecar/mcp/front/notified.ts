import type { ServerResponse } from 'node:http'
import { RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { isRequestId } from '../../../lib/core/json-rpc.ts'
import { send } from '../../../lib/service/http.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import type { InFlight } from '../in-flight.ts'
import { type Message, rpcError } from '../messages.ts'
import { agentNotification } from '../methods/agent-notifications.ts'
import type { Agent } from '../ports.ts'
import type { Session } from '../sessions.ts'

const NO_AGENT: Pick<Agent, 'notify' | 'ask'> = {
  notify: () => {},
  ask: async () => ({ error: { code: RPC.methodNotFound, message: 'A notification is no request.' } }),
}

/** Passes a notification of a session on; one that gives up a call ends it here too, after a moment for the server. */
export const createNotified =
  (gate: GateContext, inFlight: InFlight) =>
  async (
    message: Extract<Message, { kind: 'notification' }>,
    about: { inForce: InForce; server: RemitServer; known: { id: string; session: Session } },
    response: ServerResponse,
  ): Promise<void> => {
    const { inForce, server, known } = about
    const { version, capabilities = {} } = known.session
    const agent: Agent = { ...NO_AGENT, era: 'legacy', version, capabilities, session: known }
    const requestId = message.params?.requestId
    try {
      const isGivingUp = message.method === 'notifications/cancelled'
      const give = isGivingUp && isRequestId(requestId) ? inFlight.giver(known.id, requestId) : undefined
      // Of what is not on its way the server is told nothing: an id would be a text that nobody decides or records.
      const told = isGivingUp && !give ? undefined : agentNotification(gate, inForce, server.name, message, 'legacy')
      const status = told === undefined ? 202 : await gate.ports.forAgent(server, agent).notify(told)
      if (give)
        setTimeout(
          () => give(new UpstreamFailure('cancelled', 'cancelled by the agent', true)),
          // A modern server was not told; the end of the call is what tells it.
          known.session.modern ? 0 : gate.limits.cancelGraceMs,
        ).unref()
      if (status === 404) send(response, 404, rpcError(null, RPC.session, 'UnknownSession'))
      else if (status >= 200 && status < 300) response.writeHead(202).end()
      else {
        const detail = `HTTP ${status}`
        send(response, 502, rpcError(null, RPC.internal, 'UpstreamInvalid', { server: server.name, detail }))
      }
    } catch (error) {
      if (!(error instanceof UpstreamFailure)) throw error
      const values = { server: server.name, detail: error.message }
      send(response, 502, rpcError(null, RPC.internal, 'UpstreamUnreachable', values))
    }
  }
