import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HEADER, LEGACY_VERSIONS, type RequestId, RPC } from '../../lib/api/mcp.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import { header, send } from '../../lib/service/http.ts'
import { takesStream } from '../http/read.ts'
import { type Answer, rpcError } from '../json/rpc.ts'
import { createBackedSession } from './backed-session.ts'
import { backendOf, type FrontContext } from './context.ts'
import { failureOf } from './failure.ts'
import { initializeResult } from './greeting.ts'
import { beginOwnSession } from './own-session.ts'
import type { Session } from './session.ts'

/** A message of a client of before 2026-07-28. */
export type LegacyMessage =
  | { kind: 'request'; id: RequestId; method: string; params?: JsonObject | undefined }
  | { kind: 'notification'; method: string; params?: JsonObject | undefined }
  | { kind: 'answer'; id: RequestId; body: Answer }

const SWEEP_MS = 1_000

/** The requests of clients of before 2026-07-28: each belongs to a session, which `initialize` begins. */
export const createLegacyFront = (context: FrontContext) => {
  const { limits } = context
  const sessions = new Map<string, Session>()
  const sweep = setInterval(() => {
    for (const session of sessions.values())
      if (!session.isBusy() && context.now() - session.usedAt > limits.idleMs) session.end()
  }, SWEEP_MS)

  const begin = async (message: { id: RequestId; params: JsonObject }, response: ServerResponse) => {
    if (sessions.size >= limits.sessions)
      return send(response, 503, rpcError(message.id, RPC.internal, `At most ${limits.sessions} sessions are kept.`))
    const id = randomUUID()
    const onEnd = () => void sessions.delete(id)
    const { peer, hello } = await context.pool.prime()
    if (hello.era === 'modern' || context.shared) {
      const backend = await backendOf(context)
      const result = initializeResult(hello, message.params.protocolVersion)
      const session = createBackedSession(context, {
        id,
        version: String(result.protocolVersion),
        backend,
        params: message.params,
        onEnd,
      })
      sessions.set(id, session)
      // Only a process of before 2026-07-28 knows anything that its successor does not.
      if (hello.era === 'legacy') peer.whenEnded.then(session.end)
      return send(response, 200, { jsonrpc: '2.0', id: message.id, result }, { [HEADER.session]: id })
    }
    const { session, text } = await beginOwnSession(context, id, message, onEnd)
    if (session) sessions.set(id, session)
    response.writeHead(session ? 200 : 502, {
      'content-type': 'application/json',
      ...(session ? { [HEADER.session]: id } : {}),
    })
    response.end(text)
  }

  /** The session that a request names; undefined when it was answered that it names none. */
  const sessionOf = (request: IncomingMessage, response: ServerResponse): Session | undefined => {
    const refuse = (status: number, code: number, message: string) => {
      send(response, status, rpcError(null, code, message))
      return undefined
    }
    const id = header(request, HEADER.session)
    const version = header(request, HEADER.version)
    if (version !== undefined && !(LEGACY_VERSIONS as readonly string[]).includes(version))
      return refuse(
        400,
        RPC.transport,
        `Bad Request: Unsupported protocol version (supported: ${LEGACY_VERSIONS.join(', ')})`,
      )
    if (id === undefined) return refuse(400, RPC.transport, 'Bad Request: the Mcp-Session-Id header is missing')
    const session = sessions.get(id)
    if (!session) return refuse(404, RPC.session, 'Session not found')
    if (version !== undefined && version !== session.version)
      return refuse(400, RPC.transport, `Bad Request: this session uses protocol version ${session.version}`)
    return session
  }

  const post = async (message: LegacyMessage, request: IncomingMessage, response: ServerResponse) => {
    if (message.kind === 'request' && message.method === 'initialize') {
      if (header(request, HEADER.session) !== undefined)
        return send(response, 400, rpcError(message.id, RPC.invalidRequest, 'This session was initialized already.'))
      try {
        return await begin({ id: message.id, params: message.params ?? {} }, response)
      } catch (error) {
        const { status, body } = failureOf(context.log, error, message.id)
        return send(response, status, body)
      }
    }
    const session = sessionOf(request, response)
    if (!session) return
    session.usedAt = context.now()
    if (message.kind === 'request') {
      if (session.channel.has(message.id))
        return send(response, 400, rpcError(message.id, RPC.invalidRequest, 'A request with this id is under way.'))
      return session.request(message, response)
    }
    if (message.kind === 'notification') session.notification(message)
    else if (!session.answer(message.id, message.body))
      return send(response, 400, rpcError(null, RPC.invalidRequest, 'Nothing was asked that this could answer.'))
    response.writeHead(202).end()
  }

  return {
    post,
    get: (request: IncomingMessage, response: ServerResponse): void => {
      if (!takesStream(request, response)) return
      const session = sessionOf(request, response)
      if (!session) return
      session.usedAt = context.now()
      session.channel.listen(response)
    },
    remove: (request: IncomingMessage, response: ServerResponse): void => {
      const session = sessionOf(request, response)
      if (!session) return
      session.end()
      response.writeHead(200).end()
    },
    close: () => {
      clearInterval(sweep)
      for (const session of [...sessions.values()]) session.end()
    },
  }
}
