import type { IncomingMessage } from 'node:http'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import { targetOf } from '../../target.ts'
import { textProblem } from '../message-text.ts'

/** One message to a server, with nothing of the agent's own HTTP request. */
export interface Outgoing {
  server: RemitServer
  /** Of the session or the revision. */
  headers: Record<string, string>
  message: JsonObject
  traceparent?: string | undefined
  signal: AbortSignal
  /** Longest silence, milliseconds, where it is not the gate's usual one; 0: any. */
  idleMs?: number | undefined
  /** Whether the server waits for an answer of the client; then its silence does not count. */
  isAsking?: (() => boolean) | undefined
}

/** Sends a message; rejects with UpstreamFailure, or UserError(CredentialMissing). */
export const post = (gate: Outside, out: Outgoing): Promise<IncomingMessage> =>
  gate.send(targetOf('server', out.server, gate.credentials), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...out.headers,
      ...(out.traceparent ? { traceparent: out.traceparent } : {}),
    },
    body: Buffer.from(JSON.stringify(out.message)),
    signal: out.signal,
    idleMs: out.idleMs ?? gate.limits.idleMs,
    isAsking: out.isAsking,
  })

const REFUSAL_BYTES = 256 * 1024

/** The JSON-RPC error in a refused request's body; undefined when there is none. */
export const readRefusal = async (response: IncomingMessage): Promise<JsonObject | undefined> => {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response) {
      size += (chunk as Buffer).length
      if (size > REFUSAL_BYTES) break
      chunks.push(chunk as Buffer)
    }
    const text = Buffer.concat(chunks).toString('utf8')
    if (textProblem(text) !== undefined) return undefined
    const body: unknown = JSON.parse(text)
    const error = isObject(body) && body.jsonrpc === '2.0' && isObject(body.error) ? body.error : undefined
    return error && Number.isSafeInteger(error.code) && typeof error.message === 'string' ? error : undefined
  } catch {
    return undefined
  } finally {
    response.destroy()
  }
}
