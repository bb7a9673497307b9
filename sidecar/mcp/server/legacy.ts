import type { RemitServer } from '../../../lib/api/remit.ts'
import type { Outside } from '../../context.ts'
import type { ServerPort } from '../ports.ts'
import type { Session } from '../sessions.ts'
import { exchange } from './legacy-exchange.ts'
import { openStream } from './stream.ts'
import { tell } from './tell.ts'

/** A server of the older revisions as an agent of them reaches it: in the agent's own session, message by message. */
export const createLegacyPort = (gate: Outside, server: RemitServer, session: Session): ServerPort => ({
  server,
  version: () => session.version,
  request: ({ id, method, params }, options) =>
    exchange(
      gate,
      { server, session, traceparent: options.traceparent },
      { jsonrpc: '2.0', id, method, params },
      options,
    ),
  notify: (message) => tell(gate, { server, session }, message),
  listen: (_wanted, options) => openStream(gate, server, session, options),
})
