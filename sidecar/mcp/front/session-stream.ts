import type { ServerResponse } from 'node:http'
import { RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { send } from '../../../lib/service/http.ts'
import type { GateContext } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { SessionGone } from '../forward.ts'
import { rpcError } from '../messages.ts'
import { serverNotification } from '../methods/server-notifications.ts'
import type { Agent, RequestScene } from '../ports.ts'
import { gateServerRequest } from '../server-requests.ts'
import type { Session } from '../sessions.ts'
import type { Asks } from './asks.ts'
import type { EventId } from './event-id.ts'
import { wayFailure } from './failure.ts'
import { isPrimed } from './session-reply.ts'
import { isStillDeclared } from './still-declared.ts'
import type { Stream, Streams } from './streams.ts'
import { LISTS_CHANGED } from './subscriptions.ts'

/** The streams by which agents in sessions hear what servers send of their own accord (GET). */
export interface SessionStreams {
  /** `seen`: the agent comes back to a stream, of which what it missed is sent first if it is kept. */
  listen: (
    response: ServerResponse,
    server: RemitServer,
    known: { id: string; session: Session },
    seen?: EventId,
  ) => Promise<void>
  /** Tells each session that its lists may have changed; of servers that are no more nothing is heard. */
  remitChanged: () => void
  /** Ends connections; the streams can be gone on with. */
  pause: () => void
}

/** What one session listens to: one stream of its server's, however many connections the agent has. */
interface Listening {
  server: RemitServer
  streams: Set<Stream>
  /** Connections that are about to have a stream. */
  arriving: number
  tell: (raw: string) => void
  /** Has the server's stream opened where it is not; resolves with why it cannot be. */
  open: () => Promise<Error | undefined>
  close: () => void
}

export const createSessionStreams = (gate: GateContext, asks: Asks, streams: Streams): SessionStreams => {
  const sessions = new Map<string, Listening>()

  const listeningOf = (server: RemitServer, known: { id: string; session: Session }): Listening => {
    const over = new AbortController()
    const own = new Set<Stream>()
    const tell = (raw: string) => {
      const all = [...own]
      // Each message goes to one stream alone; to the newest, because an agent may not see at once that one broke.
      ;(all.findLast((stream) => stream.isConnected()) ?? all.at(-1))?.send(raw)
    }
    const { version, capabilities = {} } = known.session
    const agent: Agent = {
      era: 'legacy',
      version,
      capabilities,
      session: known,
      notify: tell,
      ask: (request, until) => asks.ask(known.id, tell, request, until),
    }
    const scene = (): RequestScene => ({ inForce: gate.authority.current()!, server, agent })
    let opening: Promise<Error | undefined> | undefined
    const open = async (): Promise<Error | undefined> => {
      const upstream = await gate.ports
        .forAgent(server, agent)
        .listen(
          { tools: true, prompts: true, resources: true, uris: [] },
          {
            signal: over.signal,
            onNotification: (message) => {
              const passed = serverNotification(gate, scene(), message)
              if (passed !== undefined) tell(passed)
            },
            onRequest: (request, until) => gateServerRequest(gate, scene(), request, until),
          },
        )
        .catch(wayFailure)
      if (upstream instanceof Error) {
        opening = undefined
        return upstream
      }
      // Where a server has no such stream the gate holds the agent's open itself.
      upstream?.ended.then(() => {
        opening = undefined
        // The agent comes back, and hears by the answer to that whether the session is over.
        for (const stream of own) stream.pause()
      })
      return undefined
    }
    return {
      server,
      streams: own,
      arriving: 0,
      tell,
      open: () => {
        opening ??= open()
        return opening
      },
      close: () => over.abort(new UpstreamFailure('cancelled', 'the agent went away', true)),
    }
  }

  const leave = (sessionId: string, listening: Listening) => {
    if (listening.arriving + listening.streams.size > 0) return
    sessions.delete(sessionId)
    listening.close()
  }

  const end = (sessionId: string, listening: Listening) => {
    for (const stream of listening.streams) stream.end()
    listening.streams.clear()
    leave(sessionId, listening)
  }

  return {
    listen: async (response, server, known, seen) => {
      const listening = sessions.get(known.id) ?? listeningOf(server, known)
      sessions.set(known.id, listening)
      listening.arriving++
      const failure = await listening.open()
      listening.arriving--
      if (failure || response.destroyed) {
        leave(known.id, listening)
        if (failure instanceof SessionGone) return send(response, 404, rpcError(null, RPC.session, 'UnknownSession'))
        if (!failure) return
        const values = { server: server.name, detail: failure.message }
        return send(response, 502, rpcError(null, RPC.internal, 'UpstreamUnreachable', values))
      }
      if (seen && streams.resume(response, known.id, seen) === 'resumed') return
      const stream = streams.begin(response, {
        session: known.id,
        primed: isPrimed(known.session),
        onGone: () => {
          listening.streams.delete(stream)
          leave(known.id, listening)
        },
      })
      listening.streams.add(stream)
      if (!isStillDeclared(gate, server)) end(known.id, listening)
    },
    remitChanged: () => {
      for (const [sessionId, listening] of sessions)
        if (isStillDeclared(gate, listening.server))
          for (const message of LISTS_CHANGED) listening.tell(JSON.stringify(message))
        else end(sessionId, listening)
    },
    pause: () => {
      for (const { streams: own } of sessions.values()) for (const stream of own) stream.pause()
    },
  }
}
