import type { IncomingMessage, ServerResponse } from 'node:http'
import { type GateContext, unreadBytes } from '../context.ts'
import { createEndedSessions } from './end-session.ts'
import { createAsks } from './front/asks.ts'
import { createInSession } from './front/in-session.ts'
import { createLegacyFront } from './front/legacy.ts'
import { createModernFront } from './front/modern.ts'
import { createNotified } from './front/notified.ts'
import { createServe } from './front/serve.ts'
import { createSessionStreams } from './front/session-stream.ts'
import { createStreams } from './front/streams.ts'
import { createSubscriptions } from './front/subscriptions.ts'
import { eraOfRequest } from './front/versions.ts'
import { createInFlight } from './in-flight.ts'
import { readMessage } from './incoming.ts'

/** The MCP side of the gate: one endpoint a declared server, Streamable HTTP in all its revisions. */
export const createMcpHandler = (gate: GateContext) => {
  const asks = createAsks()
  const streams = createStreams({ maxBytes: unreadBytes(gate.limits), returnMs: gate.limits.returnMs })
  const sessionStreams = createSessionStreams(gate, asks, streams)
  const subscriptions = createSubscriptions(gate)
  gate.authority.onChange(() => {
    sessionStreams.remitChanged()
    subscriptions.remitChanged()
  })
  const inFlight = createInFlight()
  const ended = createEndedSessions(gate)
  const liveSession = (id: string) => (ended.has(id) ? undefined : gate.sessions.find(id))
  const serve = createServe(gate, inFlight)
  const notified = createNotified(gate, inFlight)
  const legacy = createLegacyFront(gate, { serve, notified, asks, streams, liveSession })
  const modern = createModernFront(gate, { serve, subscriptions })
  const inSession = createInSession(gate, { streams, sessionStreams, inFlight, ended, liveSession })

  const post = async (request: IncomingMessage, response: ServerResponse, name: string) => {
    const message = await readMessage(gate, request, response)
    if (!message) return
    const front = eraOfRequest(request, message) === 'modern' ? modern : legacy
    return front(request, response, name, message)
  }
  return {
    /** Answers one HTTP request to `/mcp/<name>`. */
    handle: async (request: IncomingMessage, response: ServerResponse, name: string): Promise<void> => {
      if (request.method === 'POST') await post(request, response, name)
      else if (request.method === 'GET' || request.method === 'DELETE') await inSession(request, response, name)
      else response.writeHead(405, { allow: 'GET, POST, DELETE' }).end()
    },
    /** Ends what is open; resolves once nothing is under way, of which what takes longer than `graceMs` is given up. */
    close: (graceMs: number): Promise<void> => {
      sessionStreams.pause()
      subscriptions.close()
      gate.held.close()
      return inFlight.close(graceMs)
    },
  }
}
