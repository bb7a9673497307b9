import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RemitServer } from '../../lib/api/remit.ts'
import type { GateContext } from '../context.ts'
import { targetOf } from '../target.ts'
import { UpstreamFailure } from '../upstream.ts'
import { readStream } from './answer.ts'
import { serverMessages, sessionHeaders } from './forward.ts'
import { RPC, rpcError } from './messages.ts'
import { SSE_HEADERS, sseEvent, writeEvent } from './reply.ts'
import type { Session } from './sessions.ts'

const KEEPALIVE_MS = 15_000
const LIST_CHANGED = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })

/** The open GET streams of agents. */
export interface Listeners {
  open: (request: IncomingMessage, response: ServerResponse, server: RemitServer, session: Session) => Promise<void>
  /** Tells every agent that listens that its tools may have changed. */
  toolsChanged: () => void
  /** Ends all streams. */
  close: () => void
}

/**
 * Streams for what servers send of their own accord. Where a server has no such stream the gate holds one open
 * itself, to say when a new remit changes the tools.
 */
export const createListeners = (gate: GateContext): Listeners => {
  const streams = new Set<ServerResponse>()
  return {
    close: () => {
      for (const stream of streams) stream.end()
    },
    toolsChanged: () => {
      for (const stream of streams) stream.write(sseEvent(LIST_CHANGED))
    },
    open: async (_request, response, server, session) => {
      const controller = new AbortController()
      response.once('close', () => controller.abort())
      const upstream = session.upstream
        ? await gate
            .send(targetOf('server', server, gate.credentials), {
              method: 'GET',
              headers: { accept: 'text/event-stream', ...sessionHeaders(session) },
              signal: controller.signal,
              idleMs: 0,
            })
            .catch((error: unknown) => (error instanceof UpstreamFailure ? error : Promise.reject(error)))
        : undefined
      if (upstream instanceof UpstreamFailure) {
        response.writeHead(502, { 'content-type': 'application/json' })
        response.end(
          JSON.stringify(
            rpcError(null, RPC.internal, 'UpstreamUnreachable', { server: server.name, detail: upstream.message }),
          ),
        )
        return
      }
      if (upstream?.statusCode === 404) {
        upstream.resume()
        response.writeHead(404, { 'content-type': 'application/json' })
        response.end(JSON.stringify(rpcError(null, RPC.session, 'UnknownSession')))
        return
      }
      response.writeHead(200, SSE_HEADERS)
      response.flushHeaders()
      streams.add(response)
      const keepalive = setInterval(() => response.write(': open\n\n'), KEEPALIVE_MS)
      response.once('close', () => {
        clearInterval(keepalive)
        streams.delete(response)
      })
      if (!upstream) return
      if (upstream.statusCode !== 200) {
        upstream.resume()
        return
      }
      await readStream(upstream, {
        maxBytes: gate.limits.answerBytes,
        signal: controller.signal,
        onMessage: serverMessages(gate, { server, session }, (raw) =>
          writeEvent(response, raw, gate.limits.answerBytes),
        ),
      }).catch((error: unknown) => {
        if (!(error instanceof UpstreamFailure)) throw error
        gate.log.debug({ server: server.name, reason: error.message }, 'the stream of a server ended')
      })
      response.end()
    },
  }
}
