import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { classifyInboundRequest } from '@modelcontextprotocol/server'
import { HEADER, LEGACY_VERSIONS, META, MODERN_VERSION, type RequestId, RPC } from '../../lib/api/mcp.ts'
import { isObject, isRequestId, type JsonObject } from '../../lib/core/json-rpc.ts'
import { header, send } from '../../lib/service/http.ts'
import { listen } from '../../lib/service/listen.ts'
import type { Logger } from '../../lib/service/log.ts'
import type { createLegacyFront, LegacyMessage } from '../front/legacy.ts'
import type { createModernFront } from '../front/modern.ts'
import { rpcError } from '../json/rpc.ts'
import type { createGuard } from './guard.ts'
import { readJson } from './read.ts'

export interface HttpOptions {
  host: string
  /** 0 takes a free one. */
  port: number
  /** Of the MCP endpoint. */
  path: string
  messageBytes: number
  /** Only revisions with sessions are spoken, so that each client has a server process of its own. */
  sessionsOnly: boolean
  guard: ReturnType<typeof createGuard>
  /** `true`, or why no call can be served. */
  status: () => true | string
  modern: ReturnType<typeof createModernFront>
  legacy: ReturnType<typeof createLegacyFront>
  log: Logger
}

const legacyMessage = (body: JsonObject): LegacyMessage => {
  const params = isObject(body.params) ? body.params : undefined
  const id = body.id as RequestId
  if (isObject(body.result)) return { kind: 'answer', id, body: { result: body.result } }
  if (isObject(body.error)) return { kind: 'answer', id, body: { error: body.error } }
  const method = String(body.method)
  return 'id' in body ? { kind: 'request', id, method, params } : { kind: 'notification', method, params }
}

/** Answers on their way get a moment: what they answer has ended. */
const GRACE_MS = 500

/** The MCP endpoint for clients of every era, and `GET /healthz` for probes. */
export const startHttp = async (options: HttpOptions) => {
  const post = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readJson(request, response, options.messageBytes)
    if (body === undefined) return
    const id = isObject(body) && isRequestId(body.id) ? body.id : null
    // The official server's own rules for which era a request is of, and for which it cannot be.
    const route = classifyInboundRequest({
      httpMethod: 'POST',
      protocolVersionHeader: header(request, HEADER.version),
      mcpMethodHeader: header(request, HEADER.method),
      mcpNameHeader: header(request, HEADER.name),
      body,
    })
    if (Array.isArray(body) || !isObject(body) || ('id' in body && id === null))
      return send(response, 400, rpcError(id, RPC.invalidRequest, 'The body has to be one JSON-RPC message.'))
    if (route.kind === 'legacy') return options.legacy.post(legacyMessage(body), request, response)
    if (options.sessionsOnly)
      return send(
        response,
        400,
        rpcError(
          id,
          RPC.transport,
          `Bad Request: Unsupported protocol version (supported: ${LEGACY_VERSIONS.join(', ')})`,
        ),
      )
    if (route.kind === 'reject')
      return send(response, route.httpStatus, rpcError(id, route.code, route.message, route.data as JsonObject))
    if (route.messageKind === 'notification' || id === null) {
      response.writeHead(202).end()
      return
    }
    const params = isObject(body.params) ? body.params : {}
    const version = isObject(params._meta) ? String(params._meta[META.protocolVersion]) : ''
    return options.modern.handle({ id, method: String(body.method), params, version }, request, response)
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split('?')[0]
    if (path === '/healthz') {
      const status = options.status()
      response.writeHead(status === true ? 200 : 503, { 'content-type': 'text/plain' })
      response.end(status === true ? 'ok\n' : `${status}\n`)
      return
    }
    if (path !== options.path) {
      response.writeHead(404).end()
      return
    }
    const refusal = options.guard(request)
    if (refusal) {
      request.resume()
      return send(response, refusal.status, rpcError(null, RPC.transport, refusal.message), refusal.headers)
    }
    if (request.method === 'POST') return post(request, response)
    const isModern = header(request, HEADER.version) === MODERN_VERSION
    const withoutSession = request.method === 'GET' && header(request, HEADER.session) === undefined
    if (isModern || withoutSession || (request.method !== 'GET' && request.method !== 'DELETE')) {
      response.writeHead(405, { allow: isModern ? 'POST' : 'GET, POST, DELETE' }).end()
      return
    }
    if (request.method === 'GET') options.legacy.get(request, response)
    else options.legacy.remove(request, response)
  }

  const server = createServer((request, response) => {
    response.on('error', (error) => options.log.debug({ err: error }, 'an answer could not be sent'))
    handle(request, response).catch((error: unknown) => {
      if (response.destroyed) return
      options.log.error({ err: error }, 'a request could not be handled')
      if (response.headersSent) response.destroy()
      else send(response, 500, rpcError(null, RPC.internal, 'This is a bug of the bridge; its log says more.'))
    })
  })
  const { port, close } = await listen(server, options)
  return { port, close: () => close(GRACE_MS) }
}
