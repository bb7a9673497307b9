import { META, MODERN_VERSION } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { readStream } from '../answer.ts'
import type { Asked, ServerPort, Wanted } from '../ports.ts'
import { asModern } from '../render.ts'
import { GATE_INFO } from './eras.ts'
import { createModernExchange, type ModernParts } from './modern-exchange.ts'
import { ownId } from './own-id.ts'

/** What each request says of its client. `capabilities`: what the server may know of them. */
export interface Introduction {
  capabilities: JsonObject
  client?: JsonObject | undefined
  logLevel?: string | undefined
}

const introduced = (params: JsonObject, { capabilities, client, logLevel }: Introduction): JsonObject => {
  const meta = isObject(params._meta) ? params._meta : {}
  return {
    ...params,
    _meta: {
      [META.clientInfo]: client ?? GATE_INFO,
      ...(logLevel === undefined ? {} : { [META.logLevel]: logLevel }),
      ...meta,
      [META.protocolVersion]: MODERN_VERSION,
      [META.clientCapabilities]: capabilities,
    },
  }
}

const filterOf = ({ tools, prompts, resources, uris }: Wanted): JsonObject => ({
  ...(tools ? { toolsListChanged: true } : {}),
  ...(prompts ? { promptsListChanged: true } : {}),
  ...(resources ? { resourcesListChanged: true } : {}),
  ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
})

/** A server of the modern revision as an agent of it reaches it, or the gate itself: request by request. */
export const createModernPort = (
  gate: Outside,
  parts: ModernParts,
  server: RemitServer,
  introduction: (asked: Asked) => Introduction,
): ServerPort => {
  const { request, send } = createModernExchange(gate, parts, server)
  return {
    server,
    version: () => MODERN_VERSION,
    request: async ({ id, method, params }, options) => {
      const self = introduction({ method, params })
      const { _meta: meta } = introduced({}, self)
      // Of the older revision, where it asks for a task; here the capability says that.
      const { task: _task, ...rest } = params
      const answer = await request({ method, params: introduced(rest, self) }, id, meta as JsonObject, options)
      return asModern(method, answer)
    },
    // The revision has no notifications of clients over HTTP: what they would say is said by each request.
    notify: async () => 202,
    listen: async (wanted, { signal, onNotification }) => {
      const id = ownId()
      const asked = { method: 'subscriptions/listen', params: { notifications: filterOf(wanted) } }
      const params = introduced(asked.params, introduction(asked))
      const response = await send({ ...asked, params }, id, { signal, idleMs: 0 })
      const type = String(response.headers['content-type'] ?? '')
      if (response.statusCode !== 200 || !/^text\/event-stream\s*(;|$)/i.test(type)) {
        response.destroy()
        return undefined
      }
      const ended = readStream(response, {
        maxBytes: gate.limits.answerBytes,
        signal,
        onMessage: (message) => {
          if (!('method' in message.message)) response.destroy()
          else if (!('id' in message.message)) onNotification(message)
        },
      }).catch((error: unknown) => {
        if (!(error instanceof UpstreamFailure)) throw error
        gate.log.debug({ server: server.name, reason: error.message }, 'the stream of a server ended')
      })
      return { ended }
    },
  }
}
