import { HEADER, MODERN_VERSION, type RequestId, RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { isModernError } from '../../../lib/core/era.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import { mirror } from '../../../lib/core/mirror/mirror.ts'
import type { Outside } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { readAnswer, type ServerMessage } from '../answer.ts'
import { within } from '../forward.ts'
import type { Asked, ServerOptions } from '../ports.ts'
import { answerOf } from '../render.ts'
import type { Eras } from './eras.ts'
import { lookForTool } from './look-for-tool.ts'
import { ownId } from './own-id.ts'
import type { ParamHeaders } from './param-headers.ts'
import { post, readRefusal } from './post.ts'

const LEARN_MS = 10_000

export interface ModernParts {
  eras: Eras
  paramHeaders: ParamHeaders
}

/** Requests to a server of the modern revision; each stands for itself, and closing its stream gives it up. */
export const createModernExchange = (gate: Outside, { eras, paramHeaders }: ModernParts, server: RemitServer) => {
  const send = (
    request: Asked,
    id: RequestId,
    options: Pick<ServerOptions, 'signal' | 'traceparent'> & { idleMs?: number },
  ) =>
    post(gate, {
      server,
      headers: {
        [HEADER.version]: MODERN_VERSION,
        ...mirror(request, request.method === 'tools/call' ? paramHeaders.of(server, request.params.name) : []),
      },
      message: { jsonrpc: '2.0', id, ...request } as unknown as JsonObject,
      traceparent: options.traceparent,
      signal: options.signal,
      idleMs: options.idleMs,
    })

  const once = async (request: Asked, id: RequestId, options: ServerOptions): Promise<ServerMessage> => {
    const response = await send(request, id, options)
    const { statusCode = 0 } = response
    if (statusCode === 400 || statusCode === 404) {
      const error = await readRefusal(response)
      const isUnknownMethod = statusCode === 404 && error?.code === RPC.methodNotFound
      const isOurs =
        error &&
        (isModernError(error) ||
          isUnknownMethod ||
          error.code === RPC.invalidParams ||
          error.code === RPC.invalidRequest)
      if (!isOurs) {
        // As a server of another era would: the next request asks again which one it is.
        eras.forget(server)
        throw new UpstreamFailure('invalid', `HTTP ${statusCode}`, true)
      }
      return answerOf(id, { error })
    }
    return readAnswer(response, {
      id,
      maxBytes: options.maxBytes ?? gate.limits.answerBytes,
      signal: options.signal,
      onMessage: (message) => {
        // Servers of this revision ask nothing of their own accord; one that does gets no answer.
        if (!('id' in message.message)) options.onNotification(message)
        else gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'server' })
      },
    })
  }
  const learning = async (request: Asked, id: RequestId, options: ServerOptions): Promise<ServerMessage> => {
    const answer = await once(request, id, options)
    const { result } = answer.message
    if (request.method !== 'tools/list' || !isObject(result) || !Array.isArray(result.tools)) return answer
    const tools = paramHeaders.learn(server, result.tools)
    if (tools.length === result.tools.length) return answer
    const left = result.tools.length - tools.length
    gate.log.warn(
      { server: server.name, tools: left },
      'tools whose definitions ask for impossible headers are left out',
    )
    const message: JsonObject = { ...answer.message, result: { ...result, tools } }
    return { message, raw: JSON.stringify(message) }
  }
  /** Reads the server's list until it has the tool. What cannot be learned is left to the server to refuse. */
  const learn = async (tool: string, meta: JsonObject, options: ServerOptions): Promise<void> => {
    const limit = within(LEARN_MS, options.signal)
    const quiet = { ...options, signal: limit.signal, onNotification: () => {} }
    const list = (page: { cursor?: string }) =>
      learning({ method: 'tools/list', params: { ...page, _meta: meta } }, ownId(), quiet)
    try {
      await lookForTool(list, () => paramHeaders.of(server, tool) !== undefined)
      if (paramHeaders.of(server, tool) === undefined) paramHeaders.none(server, tool)
    } catch (error) {
      if (!(error instanceof UpstreamFailure) || options.signal.aborted) throw error
      gate.log.debug({ server: server.name, reason: error.message }, 'which headers a tool wants is not known')
    } finally {
      limit.done()
    }
  }
  return {
    /** `meta`: what a request of the gate's own says of the client. */
    request: async (
      request: Asked,
      id: RequestId,
      meta: JsonObject,
      options: ServerOptions,
    ): Promise<ServerMessage> => {
      if (request.method !== 'tools/call') return learning(request, id, options)
      const name = String(request.params.name)
      if (paramHeaders.of(server, name) === undefined) await learn(name, meta, options)
      const answer = await once(request, id, options)
      const error = answer.message.error as JsonObject | undefined
      if (error?.code !== RPC.headerMismatch) return answer
      // The definition has changed. The server has done nothing yet.
      paramHeaders.forget(server, name)
      await learn(name, meta, options)
      return once(request, id, options)
    },
    send,
  }
}
