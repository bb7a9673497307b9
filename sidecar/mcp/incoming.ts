import type { IncomingMessage, ServerResponse } from 'node:http'
import { RPC } from '../../lib/api/mcp.ts'
import { parseStrict } from '../../lib/core/strict.ts'
import { accepts, header, send } from '../../lib/service/http.ts'
import { readBody, refuseBody } from '../body.ts'
import type { GateContext } from '../context.ts'
import { classify, type Message, rpcError } from './messages.ts'

/** The one message of a POST, read strictly; undefined when it is not one and was answered so. */
export const readMessage = async (
  gate: GateContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Message | undefined> => {
  if (!/^application\/json\s*(;|$)/i.test(header(request, 'content-type') ?? '')) {
    refuseBody(
      request,
      response,
      415,
      JSON.stringify(
        rpcError(null, RPC.transport, 'MalformedRequest', { detail: 'Content-Type must be application/json' }),
      ),
    )
    return undefined
  }
  if (!accepts(request, 'application/json', 'text/event-stream')) {
    refuseBody(
      request,
      response,
      406,
      JSON.stringify(
        rpcError(null, RPC.transport, 'MalformedRequest', {
          detail: 'Accept must name application/json and text/event-stream',
        }),
      ),
    )
    return undefined
  }
  const bytes = await readBody(request, response, gate.limits.requestBytes, gate.bytes)
  if (!bytes) {
    refuseBody(
      request,
      response,
      413,
      JSON.stringify(
        rpcError(null, RPC.invalidRequest, 'RequestTooLarge', { limit: `${gate.limits.requestBytes} bytes` }),
      ),
    )
    return undefined
  }
  const parsed = parseStrict(bytes, { maxBytes: gate.limits.requestBytes })
  if (!parsed.ok) {
    const tooLarge = parsed.code === 'RequestTooLarge'
    send(
      response,
      tooLarge ? 413 : 400,
      rpcError(null, tooLarge ? RPC.invalidRequest : RPC.parse, parsed.code, {
        detail: parsed.detail,
        limit: parsed.detail,
      }),
    )
    return undefined
  }
  const message = classify(parsed.value)
  if (typeof message === 'string') {
    send(response, 400, rpcError(null, RPC.invalidRequest, 'MalformedRequest', { detail: message }))
    return undefined
  }
  return message
}
