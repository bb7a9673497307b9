import { randomUUID } from 'node:crypto'
import { MAY_ASK, type RequestId, RPC } from '../../../lib/api/mcp.ts'
import type { JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import type { ServerMessage } from '../answer.ts'
import { inputOf } from '../input.ts'
import type { Asked, ServerOptions, ServerPort } from '../ports.ts'
import { asLegacy, underId } from '../render.ts'
import { isLogLevel } from '../revision.ts'
import { ownId } from './own-id.ts'

/** Most rounds a server may ask in before it answers, and things it may ask in one. */
const MAX_ROUNDS = 16
const MAX_ASKED = 16
const MAX_SESSIONS = 1_000
const MAX_FOLLOWED = 1_000

/** What a session of the older revisions keeps at its server, and a modern server is told at each request. */
export interface Kept {
  level?: string
  uris: Set<string>
  /** To be called when the subscriptions are others. */
  onChange: Set<() => void>
}

export const createKept = () => {
  const sessions = new Map<string, Kept>()
  return (sessionId: string): Kept => {
    let kept = sessions.get(sessionId)
    if (!kept) {
      if (sessions.size >= MAX_SESSIONS) sessions.delete(sessions.keys().next().value!)
      kept = { uris: new Set(), onChange: new Set() }
      sessions.set(sessionId, kept)
    }
    return kept
  }
}

/** The older revisions know an elicitation of a URL by an id. */
const asOlderRequest = ({ method, params }: Asked): Asked =>
  method === 'elicitation/create' && params.mode === 'url'
    ? { method, params: { elicitationId: randomUUID(), ...params } }
    : { method, params }

const answerOf = (id: RequestId, body: JsonObject): ServerMessage => {
  const message: JsonObject = { jsonrpc: '2.0', id, ...body }
  return { message, raw: JSON.stringify(message) }
}
const failure = (id: RequestId, message: string): ServerMessage =>
  answerOf(id, { error: { code: RPC.internal, message } })

/**
 * A modern server for an agent of the older revisions. What the agent's session would keep at the server is kept here,
 * and what the server asks for becomes requests to the agent, with the same call made again with the answers, as long
 * as the remit is the one the call left under.
 */
export const forLegacyAgent = (gate: Outside, port: ServerPort, kept: Kept): ServerPort => {
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
        return failure(id, 'The server asks for what it may not ask for.')
      const responses: [string, JsonObject][] = []
      for (const [key, request] of wanted.requests) {
        const answered = await options.onRequest(asOlderRequest(request), options.signal)
        if ('error' in answered)
          return failure(id, `The server asked for input it did not get: ${answered.error.message}`)
        responses.push([key, answered.result])
      }
      if (gate.authority.current() !== inForce)
        return failure(id, 'The remit changed while the server waited for input. The call can be made again.')
      input = {
        ...(wanted.requests.length > 0 ? { inputResponses: Object.fromEntries(responses) } : {}),
        ...(wanted.state !== undefined ? { requestState: wanted.state } : {}),
      }
    }
    return failure(id, 'The server asks for input again and again.')
  }
  const itself = (id: RequestId, { method, params }: Asked): ServerMessage | undefined => {
    switch (method) {
      case 'ping':
        return answerOf(id, { result: {} })
      case 'logging/setLevel':
        if (!isLogLevel(params.level))
          return answerOf(id, { error: { code: RPC.invalidParams, message: 'There is no such level.' } })
        kept.level = params.level
        return answerOf(id, { result: {} })
      case 'resources/subscribe':
        if (kept.uris.size >= MAX_FOLLOWED) return failure(id, 'There are too many subscriptions.')
        kept.uris.add(String(params.uri))
        for (const changed of kept.onChange) changed()
        return answerOf(id, { result: {} })
      case 'resources/unsubscribe':
        kept.uris.delete(String(params.uri))
        for (const changed of kept.onChange) changed()
        return answerOf(id, { result: {} })
      default:
        return undefined
    }
  }
  return {
    server,
    version: port.version,
    request: async ({ id, method, params }, options) =>
      itself(id, { method, params }) ?? asLegacy(method, await converse({ method, params }, id, options)),
    notify: port.notify,
    listen: async (wanted, options) => {
      const open = (signal: AbortSignal) => port.listen({ ...wanted, uris: [...kept.uris] }, { ...options, signal })
      let controller = new AbortController()
      options.signal.addEventListener('abort', () => controller.abort(options.signal.reason))
      let changed = false
      const onChange = () => {
        changed = true
        controller.abort()
      }
      const first = await open(controller.signal)
      if (!first) return undefined
      kept.onChange.add(onChange)
      const follow = async () => {
        let stream: typeof first | undefined = first
        while (stream) {
          await stream.ended
          if (!changed || options.signal.aborted) break
          changed = false
          controller = new AbortController()
          stream = await open(controller.signal).catch(() => undefined)
        }
        kept.onChange.delete(onChange)
      }
      return { ended: follow() }
    },
  }
}
