import type { Attributes, Span } from '@opentelemetry/api'
import { META, RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { isObject, isRequestId, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { InForce } from '../../authority.ts'
import type { GateContext } from '../../context.ts'
import { ATTR, traceparentOf } from '../../telemetry.ts'
import type { ServerMessage } from '../answer.ts'
import { converse } from '../converse.ts'
import { nameKept } from '../front/client.ts'
import { type Message, requestError } from '../messages.ts'
import { type Finished, failed } from '../outcome.ts'
import type { Agent, RequestScene, ServerOptions, ServerPort } from '../ports.ts'
import type { Reply } from '../reply.ts'
import { isLogLevel } from '../revision.ts'
import { sent } from '../sent.ts'
import { serverNotification } from './server-notifications.ts'

/** A request of an agent to a declared server, under a remit that stands. */
export interface MethodRequest {
  inForce: InForce
  server: RemitServer
  agent: Agent
  port: ServerPort
  message: Extract<Message, { kind: 'request' }>
  reply: Reply
  span: Span
  /** Aborted when the agent gives the request up or the time is over. */
  signal: AbortSignal
  /** Answers what its server asks meanwhile, where that is not put to the agent as of a call. */
  onRequest?: ServerOptions['onRequest']
}

/**
 * An agent's `_meta` as the server gets it: in our trace, with what the protocol gives a request. Whatever else it says
 * is neither decided nor recorded.
 */
export const knownMeta = (params: JsonObject | undefined, traceparent: string): JsonObject => {
  const {
    progressToken,
    [META.clientInfo]: client,
    [META.logLevel]: level,
  } = isObject(params?._meta) ? params._meta : {}
  const name = nameKept(client)
  return {
    ...(isRequestId(progressToken) ? { progressToken } : {}),
    ...(name ? { [META.clientInfo]: name } : {}),
    ...(isLogLevel(level) ? { [META.logLevel]: level } : {}),
    traceparent,
  }
}

/** Puts a request to the server; what the server sends meanwhile reaches the agent as far as it may. */
export const askServer = (
  gate: GateContext,
  { inForce, server, agent, port, message, signal, span, onRequest }: MethodRequest,
  params: JsonObject,
  traceparent = traceparentOf(span),
): Promise<ServerMessage> => {
  const scene: RequestScene = { inForce, server, agent, span }
  const { id, method } = message
  return converse(gate, {
    scene,
    port,
    message: { id, method, params: { ...params, _meta: knownMeta(message.params, traceparent) } },
    options: {
      signal,
      traceparent,
      onNotification: (told) => {
        const passed = serverNotification(gate, scene, told)
        if (passed !== undefined) agent.notify(passed)
      },
      ...(onRequest ? { onRequest } : {}),
    },
  })
}

/**
 * Puts a decided and recorded request to the server, in a span of its own, and waits for what comes of it; throws only
 * what is our own mistake. `about`: what the request is about, for traces and measures.
 */
export const dispatchRequest = (
  gate: GateContext,
  request: MethodRequest,
  params: JsonObject,
  about: Attributes,
  judge: (answer: ServerMessage) => Finished | Promise<Finished>,
): Promise<Finished> => {
  const { server, port, message, span } = request
  const { id, method } = message
  const prompt = about[ATTR.prompt]
  return sent(
    gate,
    {
      name: prompt === undefined ? method : `${method} ${prompt}`,
      method,
      id,
      port,
      span,
      spanAbout: about,
    },
    async (traceparent) => judge(await askServer(gate, request, params, traceparent)),
    (error) => failed(id, server.name, error, gate.limits.idleMs, requestError(RPC.internal)),
  )
}
