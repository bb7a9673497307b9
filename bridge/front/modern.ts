import type { IncomingMessage, ServerResponse } from 'node:http'
import { HTTP_STATUS, LEGACY_VERSIONS, META, MODERN_VERSION, RPC } from '../../lib/api/mcp.ts'
import type { JsonObject } from '../../lib/core/json-rpc.ts'
import { withMembers } from '../../lib/core/json-text.ts'
import { mirrorProblem } from '../../lib/core/mirror/mirror.ts'
import { versionProblem } from '../../lib/core/mirror/version.ts'
import { send } from '../../lib/service/http.ts'
import type { Backend } from '../backend/backend.ts'
import type { Hello } from '../child/handshake.ts'
import { createReply } from '../http/reply.ts'
import { lostCall, rpcError } from '../json/rpc.ts'
import { backendOf, type FrontContext } from './context.ts'
import { failureOf, lateAnswer } from './failure.ts'
import type { ModernRequest } from './modern-request.ts'
import { createSubscriptions } from './subscriptions.ts'
import { createTools } from './tools.ts'

/** Requests of the era before, which is over: a server of 2026-07-28 does not know them. */
const GONE = new Set(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'])

const discovered = (hello: Hello): JsonObject => {
  // Tasks of 2025-11-25 are not those of the extension that came after it.
  const { tasks: _tasks, ...capabilities } = hello.capabilities
  return {
    ...(hello.discovered ?? {
      resultType: 'complete',
      capabilities,
      ...(hello.instructions === undefined ? {} : { instructions: hello.instructions }),
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { [META.serverInfo]: hello.serverInfo },
    }),
    supportedVersions: [MODERN_VERSION, ...LEGACY_VERSIONS],
  }
}

/** The requests of clients of 2026-07-28: each stands for itself. */
export const createModernFront = (context: FrontContext) => {
  const { limits } = context
  const mirrored = createTools(context.now)
  const subscriptions = createSubscriptions(limits)

  const call = async (backend: Backend, message: ModernRequest, response: ServerResponse) => {
    let cancel = (_reason: string) => {}
    let gone = false
    const reply = createReply(response, {
      maxHeld: limits.heldBytes,
      onGone: () => {
        gone = true
        clearTimeout(timer)
        cancel('the client closed the connection')
      },
    })
    const finish = (text: string, status?: number) => {
      clearTimeout(timer)
      reply.answer(text, status)
    }
    const timer = setTimeout(() => {
      cancel('no answer in time')
      finish(lateAnswer(message.id, limits.callMs))
    }, limits.callMs)
    try {
      const handle = await backend.call(message, {
        onAnswer: (text, error) =>
          finish(
            withMembers(text, { set: { id: message.id } }),
            error === undefined ? 200 : (HTTP_STATUS[error] ?? 200),
          ),
        onNotification: (note) => reply.notify(JSON.stringify(note)),
        onLost: (detail, effect) => finish(JSON.stringify(lostCall(message.id, detail, effect))),
      })
      cancel = handle.cancel
      if (gone) cancel('the client closed the connection')
    } catch (error) {
      clearTimeout(timer)
      const { status, body } = failureOf(context.log, error, message.id)
      finish(JSON.stringify(body), status)
    }
  }

  /** Answers one request whose body is of 2026-07-28. */
  const handle = async (message: ModernRequest, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { id, method, version } = message
    const headers = request.headersDistinct
    const mismatch = (detail: string) =>
      send(response, 400, rpcError(id, RPC.headerMismatch, `Header mismatch: ${detail}.`))
    const misnamed = versionProblem(headers, version)
    if (misnamed !== undefined) return mismatch(misnamed)
    if (version !== MODERN_VERSION)
      return send(
        response,
        400,
        rpcError(id, RPC.unsupportedVersion, 'Unsupported protocol version', {
          supported: [MODERN_VERSION, ...LEGACY_VERSIONS],
          requested: version,
        }),
      )
    const different = mirrorProblem(headers, message)
    if (different !== undefined) return mismatch(different)
    if (GONE.has(method)) return send(response, 404, rpcError(id, RPC.methodNotFound, 'Method not found'))
    try {
      const backend = await backendOf(context)
      const hello = await backend.hello()
      if (method === 'server/discover') return send(response, 200, { jsonrpc: '2.0', id, result: discovered(hello) })
      if (method === 'subscriptions/listen') return await subscriptions.open(backend, message, request, response)
      if (method === 'tools/call') {
        const missed = mirrorProblem(headers, message, await mirrored(backend, String(message.params.name)))
        if (missed !== undefined) return mismatch(missed)
        // Given up while the headers were looked up, of which nobody tells a call that begins after.
        if (response.destroyed) return
      }
      await call(backend, message, response)
    } catch (error) {
      const { status, body } = failureOf(context.log, error, id)
      send(response, status, body)
    }
  }
  return {
    handle,
    close: subscriptions.close,
  }
}
