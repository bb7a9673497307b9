import { META, RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import type { ServerMessage } from '../answer.ts'
import { hasTasks } from '../capabilities.ts'
import { OtherEra, SessionGone, within } from '../forward.ts'
import type { Asked, ServerOptions, ServerPort } from '../ports.ts'
import { asModern, underId } from '../render.ts'
import { isLogLevel, reaches } from '../revision.ts'
import { exchange } from './legacy-exchange.ts'
import type { NewerTasks } from './newer-tasks.ts'
import { ownId } from './own-id.ts'
import type { OwnSession, OwnSessions } from './own-sessions.ts'
import type { OwnStreams } from './own-stream.ts'
import type { ParamHeaders } from './param-headers.ts'
import { tell } from './tell.ts'

/** A request as the older revisions know it: the client is told of in the session, answers come as messages. */
const asOlder = ({ method, params: given }: Asked): { asked: Asked; level: string | undefined } => {
  const { inputResponses: _responses, requestState: _state, _meta, ...params } = given
  const {
    [META.protocolVersion]: _version,
    [META.clientInfo]: _client,
    [META.clientCapabilities]: _capabilities,
    [META.logLevel]: level,
    ...meta
  } = isObject(_meta) ? _meta : {}
  return {
    asked: { method, params: { ...params, ...(Object.keys(meta).length > 0 ? { _meta: meta } : {}) } },
    level: isLogLevel(level) ? level : undefined,
  }
}

const UNFOLLOW_MS = 10_000
const REFUSE: ServerOptions['onRequest'] = async () => ({
  error: { code: RPC.methodNotFound, message: 'This client answers no requests.' },
})

/**
 * A server of the older revisions as an agent of the modern one reaches it, or the gate itself: in a session of the
 * gate's own, begun again once when the server has forgotten it.
 */
export const createOwnPort = (
  gate: Outside,
  parts: { sessions: OwnSessions; streams: OwnStreams; tasks: NewerTasks; paramHeaders: ParamHeaders },
  server: RemitServer,
  given: JsonObject,
): ServerPort & { hello: () => Promise<JsonObject> } => {
  const { sessions, streams, tasks, paramHeaders } = parts
  // Extensions are what the newer revision has.
  const { extensions: _extensions, ...capabilities } = given
  const inSession = async <T>(work: (own: OwnSession) => Promise<T>): Promise<T> => {
    const own = await sessions.of(server, capabilities)
    try {
      return await work(own)
    } catch (error) {
      if (!(error instanceof SessionGone) || error instanceof OtherEra) throw error
      sessions.forget(own)
      return work(await sessions.of(server, capabilities))
    }
  }
  const send = (own: OwnSession, request: JsonObject, options: ServerOptions) =>
    exchange(
      gate,
      { server, session: own.session, traceparent: options.traceparent },
      { jsonrpc: '2.0', id: ownId(), ...request },
      options,
    )
  /** Puts a request to the server, where it can ask what the gate has capabilities for. */
  const put = async (own: OwnSession, asked: Asked, options: ServerOptions): Promise<ServerMessage> => {
    const leave =
      Object.keys(capabilities).length > 0
        ? await streams(server, own, { onNotification: () => {}, onRequest: options.onRequest })
        : undefined
    try {
      return await send(own, { ...asked }, options)
    } finally {
      leave?.()
    }
  }
  /** Has the server log from this level on, at least. */
  const wantLevel = async (own: OwnSession, level: string | undefined, options: ServerOptions) => {
    const able = isObject(own.hello.capabilities) && isObject(own.hello.capabilities.logging)
    if (!able || level === undefined || (own.level !== undefined && reaches(level, own.level))) return
    const answer = await send(own, { method: 'logging/setLevel', params: { level } }, { ...options, onRequest: REFUSE })
    if ('result' in answer.message) own.level = level
  }
  const unfollow = (own: OwnSession, uri: string) => {
    const limit = within(UNFOLLOW_MS)
    send(
      own,
      { method: 'resources/unsubscribe', params: { uri } },
      { signal: limit.signal, onNotification: () => {}, onRequest: REFUSE },
    )
      .catch((error: unknown) =>
        gate.log.debug({ err: error, server: server.name }, 'a resource could not be unsubscribed'),
      )
      .finally(limit.done)
  }
  let version: string | undefined
  return {
    server,
    version: () => version,
    hello: async () => (await sessions.of(server, capabilities)).hello,
    request: ({ id, method, params }, options) =>
      inSession(async (own) => {
        version = own.session.version
        const { asked, level } = asOlder({ method, params })
        const heard: ServerOptions = {
          ...options,
          onNotification: (message: ServerMessage) => {
            const told = isObject(message.message.params) ? message.message.params : {}
            const isLog = message.message.method === 'notifications/message'
            if (!isLog || (level !== undefined && reaches(told.level, level))) options.onNotification(message)
          },
        }
        await wantLevel(own, level, options)
        const answer = await tasks.request({
          server,
          capabilities: isObject(own.hello.capabilities) ? own.hello.capabilities : {},
          asked,
          mayBeTask: hasTasks(given),
          options: heard,
          ask: (one, how) => put(own, one, how),
        })
        const { result } = answer.message
        if (method === 'tools/list' && isObject(result) && Array.isArray(result.tools)) {
          tasks.learn(server, result.tools)
          // To its agent the gate is a server of 2026-07-28 that reads bodies, wherever the definitions come from.
          paramHeaders.learn(server, result.tools)
        }
        return underId(asModern(method, answer, own.hello.serverInfo), id)
      }),
    notify: (message) => inSession((own) => tell(gate, { server, session: own.session }, message)),
    listen: (wanted, options) =>
      inSession(async (own) => {
        const over = new AbortController()
        const onEnd = () => over.abort()
        const leave = await streams(server, own, { onNotification: options.onNotification, onEnd })
        options.signal.addEventListener('abort', onEnd)
        const ended = new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve()))
        for (const uri of wanted.uris) {
          const followers = own.followed.get(uri) ?? 0
          own.followed.set(uri, followers + 1)
          if (followers === 0)
            await send(own, { method: 'resources/subscribe', params: { uri } }, { ...options, onRequest: REFUSE })
        }
        const end = () => {
          leave()
          for (const uri of wanted.uris) {
            const followers = (own.followed.get(uri) ?? 1) - 1
            if (followers > 0) own.followed.set(uri, followers)
            else {
              own.followed.delete(uri)
              unfollow(own, uri)
            }
          }
        }
        return { ended: ended.then(end) }
      }),
  }
}
