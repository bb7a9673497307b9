import { MAY_ASK, type RequestId, RPC } from '../../../lib/api/mcp.ts'
import { offered } from '../../../lib/core/decide-other.ts'
import type { JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import type { ServerMessage } from '../answer.ts'
import { inputOf } from '../input.ts'
import type { Asked, ServerOptions, ServerPort } from '../ports.ts'
import { answerOf, asLegacy, refusalOf, underId } from '../render.ts'
import { asOlderCall } from '../render-task.ts'
import { isLogLevel } from '../revision.ts'
import type { Kept } from './kept.ts'
import { asOlderRequest } from './older-request.ts'
import type { createOlderTasks } from './older-tasks.ts'
import { ownId } from './own-id.ts'

/** Most rounds a server may ask in before it answers, and things it may ask in one. */
const MAX_ROUNDS = 16
const MAX_ASKED = 16

/**
 * A modern server for an agent of the older revisions. What the agent's session would keep at the server is kept here,
 * and what the server asks for becomes requests to the agent, with the same call made again with the answers, as long
 * as the remit is the one the call left under.
 */
export const forLegacyAgent = (
  gate: Outside,
  port: ServerPort,
  kept: Kept,
  aboutTask: ReturnType<typeof createOlderTasks>,
): ServerPort => {
  const { server } = port
  const converse = async (asked: Asked, id: RequestId, options: ServerOptions): Promise<ServerMessage> => {
    const { inputResponses: _responses, requestState: _state, ...params } = asked.params
    let input: JsonObject = {}
    const inForce = gate.authority.current()
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const request = { method: asked.method, params: { ...params, ...input }, id: round === 0 ? id : ownId() }
      const answer = underId(await port.request(request, options), id)
      const wanted = inputOf(answer)
      if (!wanted) return answer
      if (!MAY_ASK.has(asked.method) || wanted.requests.length > MAX_ASKED)
        return refusalOf(id, RPC.internal, 'The server asks for what it may not ask for.')
      const responses: [string, JsonObject][] = []
      for (const [key, request] of wanted.requests) {
        const answered = await options.onRequest(asOlderRequest(request), options.signal)
        if ('error' in answered)
          return refusalOf(id, RPC.internal, `The server asked for input it did not get: ${answered.error.message}`)
        responses.push([key, answered.result])
      }
      if (gate.authority.current() !== inForce)
        return refusalOf(
          id,
          RPC.internal,
          'The remit changed while the server waited for input. The call can be made again.',
        )
      input = {
        ...(wanted.requests.length > 0 ? { inputResponses: Object.fromEntries(responses) } : {}),
        ...(wanted.state !== undefined ? { requestState: wanted.state } : {}),
      }
    }
    return refusalOf(id, RPC.internal, 'The server asks for input again and again.')
  }
  const itself = (id: RequestId, { method, params }: Asked): ServerMessage | undefined => {
    const done = answerOf(id, { result: {} })
    switch (method) {
      case 'ping':
        return done
      case 'logging/setLevel':
        if (!isLogLevel(params.level))
          return answerOf(id, { error: { code: RPC.invalidParams, message: 'There is no such level.' } })
        kept.setLevel(params.level)
        return done
      case 'resources/subscribe':
        return kept.follow(String(params.uri)) ? done : refusalOf(id, RPC.internal, 'There are too many subscriptions.')
      case 'resources/unsubscribe':
        kept.unfollow(String(params.uri))
        return done
      default:
        return undefined
    }
  }
  const itselfIfKept = (id: RequestId, asked: Asked): ServerMessage | undefined => {
    try {
      return itself(id, asked)
    } catch (error) {
      gate.log.warn({ err: error, server: server.name }, 'what a session keeps could not be written')
      return refusalOf(id, RPC.internal, 'It cannot be kept now.')
    }
  }
  return {
    server,
    version: port.version,
    request: async ({ id, method, params }, options) => {
      const told = itselfIfKept(id, { method, params }) ?? (await aboutTask({ id, method, params }, options))
      if (told) return told
      const answer = await converse({ method, params }, id, options)
      return method === 'tools/call' ? asOlderCall(answer, params.task !== undefined) : asLegacy(method, answer)
    },
    notify: port.notify,
    listen: async (wanted, options) => {
      const offeredUris = () => {
        const { prepared } = gate.authority.current() ?? {}
        return kept.uris().filter((uri) => prepared && offered(prepared, 'resource', server.name, uri))
      }
      let controller = new AbortController()
      let isStale = false
      const open = () => {
        isStale = false
        controller = new AbortController()
        return port.listen({ ...wanted, uris: offeredUris() }, { ...options, signal: controller.signal })
      }
      const onAbort = () => controller.abort(options.signal.reason)
      options.signal.addEventListener('abort', onAbort)
      const forget = kept.onChange(() => {
        isStale = true
        controller.abort()
      })
      const over = () => {
        forget()
        options.signal.removeEventListener('abort', onAbort)
      }
      const follow = async (first: { ended: Promise<void> }) => {
        let stream: typeof first | undefined = first
        while (stream) {
          await stream.ended
          stream = isStale && !options.signal.aborted ? await open().catch(() => undefined) : undefined
        }
        over()
      }
      try {
        const first = await open()
        if (first) return { ended: follow(first) }
      } catch (error) {
        over()
        throw error
      }
      over()
      return undefined
    },
  }
}
