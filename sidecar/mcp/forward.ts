import type { RemitServer } from '../../lib/api/remit.ts'
import type { ErrorCode } from '../../lib/core/errors.ts'
import { redactsResultsOf } from '../../lib/core/redact.ts'
import type { GateContext } from '../context.ts'
import { targetOf } from '../target.ts'
import { UpstreamFailure } from '../upstream.ts'
import { readAnswer, type ServerMessage } from './answer.ts'
import { type JsonObject, type RequestId, RPC, SERVER_NOTIFICATIONS } from './messages.ts'
import type { Session } from './sessions.ts'
import { withholdNotification } from './withhold.ts'

/** One message to a server, with nothing of the agent's own HTTP request. */
export interface Outgoing {
  server: RemitServer
  session?: Session | undefined
  /** Exact bytes of the message. */
  body: Buffer
  traceparent?: string | undefined
  signal: AbortSignal
}

export const sessionHeaders = (session: Session | undefined): Record<string, string> => ({
  ...(session ? { 'mcp-protocol-version': session.version } : {}),
  ...(session?.upstream ? { 'mcp-session-id': session.upstream } : {}),
})

const post = (gate: GateContext, out: Outgoing) =>
  gate.send(targetOf('server', out.server, gate.credentials), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...sessionHeaders(out.session),
      ...(out.traceparent ? { traceparent: out.traceparent } : {}),
    },
    body: out.body,
    signal: out.signal,
    idleMs: gate.limits.idleMs,
  })

/** What the agent is told of each failure on the way to a server. */
export const FAILURE_CODES = {
  unreachable: 'UpstreamUnreachable',
  timeout: 'UpstreamTimeout',
  invalid: 'UpstreamInvalid',
  cancelled: 'OutcomeUnknown',
} as const satisfies Record<UpstreamFailure['kind'], ErrorCode>

/** The server does not know the session any more. */
export class SessionGone extends Error {
  override name = 'SessionGone'
}

/** A bounded signal: aborted by the caller's, or with a timeout failure after `ms`. */
export const within = (
  ms: number,
  outer?: AbortSignal,
): { signal: AbortSignal; abort: (reason: unknown) => void; done: () => void } => {
  const controller = new AbortController()
  const onOuter = () => controller.abort(outer?.reason)
  outer?.addEventListener('abort', onOuter)
  if (outer?.aborted) onOuter()
  const timer = setTimeout(
    () => controller.abort(new UpstreamFailure('timeout', `no answer within ${ms / 1000} s`, true)),
    ms,
  )
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    done: () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', onOuter)
    },
  }
}

const LIST_CHANGED = 'notifications/tools/list_changed'
const ASIDE_MS = 10_000
/** Requests of one server stream that are being answered at a time; a server that sends more gets no answer to them. */
const MAX_ANSWERING = 16

/** Sends a message nobody waits for an answer to; resolves with whether the server took it. */
export const notify = async (
  gate: GateContext,
  out: Omit<Outgoing, 'signal' | 'body'>,
  message: JsonObject,
): Promise<number> => {
  const limit = within(ASIDE_MS)
  try {
    const response = await post(gate, { ...out, body: Buffer.from(JSON.stringify(message)), signal: limit.signal })
    response.resume()
    response.on('error', () => {})
    return response.statusCode ?? 0
  } finally {
    limit.done()
  }
}

/**
 * What a server sends of its own accord: notifications the protocol's tools part knows are passed on, but for what the
 * policy withholds; its requests
 * (sampling, elicitation, roots) are answered here, because no policy decides what an agent tells a server that way.
 */
export const serverMessages = (
  gate: GateContext,
  out: Omit<Outgoing, 'signal' | 'body'>,
  pass: (raw: string) => void,
) => {
  let answering = 0
  const isWithheld = () => {
    const inForce = gate.authority.current()
    return inForce !== undefined && redactsResultsOf(inForce, out.server.name)
  }
  return ({ message, raw }: ServerMessage): void => {
    const method = String(message.method)
    if (!('id' in message)) {
      if (method === LIST_CHANGED) gate.definitions.changed(out.server)
      if (SERVER_NOTIFICATIONS.has(method)) {
        const passed = isWithheld() ? withholdNotification(message, raw) : raw
        if (passed !== undefined) pass(passed)
      } else gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'server' })
      return
    }
    if ('result' in message || 'error' in message) return
    if (answering >= MAX_ANSWERING) return
    answering++
    const id = message.id as RequestId
    const answer: JsonObject =
      method === 'ping'
        ? { jsonrpc: '2.0', id, result: {} }
        : {
            jsonrpc: '2.0',
            id,
            error: {
              code: RPC.methodNotFound,
              message: 'The gate before this client passes on no requests of servers.',
            },
          }
    if (method !== 'ping') {
      gate.telemetry.instruments.refusals.add(1, { 'remit.direction': 'server' })
      gate.log.info({ server: out.server.name, method: method.slice(0, 64) }, 'a request of a server was refused')
    }
    notify(gate, out, answer)
      .catch((error: unknown) =>
        gate.log.debug({ err: error, server: out.server.name }, 'a server could not be answered'),
      )
      .finally(() => answering--)
  }
}

/** Sends a request and reads its answer. Rejects with UpstreamFailure, SessionGone, or UserError(CredentialMissing). */
export const exchange = async (
  gate: GateContext,
  out: Outgoing,
  id: RequestId,
  onMessage: (message: ServerMessage) => void,
): Promise<ServerMessage & { session?: string | undefined }> => {
  const response = await post(gate, out)
  if (response.statusCode === 404 && out.session?.upstream) {
    response.resume()
    throw new SessionGone('the server does not know the session')
  }
  const answer = await readAnswer(response, { id, maxBytes: gate.limits.answerBytes, signal: out.signal, onMessage })
  const session = response.headers['mcp-session-id']
  return { ...answer, session: typeof session === 'string' ? session : undefined }
}
