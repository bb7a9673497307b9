import { randomBytes } from 'node:crypto'
import type { RemitServer } from '../../lib/api/remit.ts'
import type { GateContext } from '../context.ts'
import type { ServerMessage } from './answer.ts'
import { exchange, notify, type Outgoing, SessionGone, serverMessages, within } from './forward.ts'
import { isObject, type JsonObject, PROTOCOL_VERSIONS } from './messages.ts'
import type { Session } from './sessions.ts'

/** Ids that no agent can have chosen, so that the gate's requests and the agent's never meet in one session. */
const OURS = `dev.remit/${randomBytes(16).toString('base64url')}`
let asked = 0

/** Longest one request of the gate's own may take, and what it may answer. */
export const ASK_MS = 10_000
const ASK_BYTES = 4 * 1024 * 1024

/** A request of the gate's own to a server; what the server sends besides the answer goes to nobody. */
export interface Question {
  server: RemitServer
  session?: Session | undefined
  method: string
  params: JsonObject
  signal: AbortSignal
  traceparent?: string | undefined
}

/** Resolves with the answer, an error of JSON-RPC included. Rejects as `exchange` does. */
export const ask = async (
  gate: GateContext,
  { server, session, method, params, signal, traceparent }: Question,
): Promise<ServerMessage & { session?: string | undefined }> => {
  const id = `${OURS}/${++asked}`
  const limit = within(ASK_MS, signal)
  const out: Outgoing = {
    server,
    session,
    traceparent,
    body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params })),
    signal: limit.signal,
  }
  try {
    const narrow = { ...gate, limits: { ...gate.limits, answerBytes: Math.min(ASK_BYTES, gate.limits.answerBytes) } }
    return await exchange(
      narrow,
      out,
      id,
      serverMessages(gate, out, () => {}),
    )
  } finally {
    limit.done()
  }
}

/** Sessions of the gate's own with servers, for what it has to read at one server to decide a call of another. */
export const createOwnSessions = (gate: GateContext) => {
  const open = new Map<string, Promise<Session>>()
  const keyOf = ({ name, url }: RemitServer) => `${name} ${url}`

  const begin = async (server: RemitServer): Promise<Session> => {
    const { signal } = new AbortController()
    const answer = await ask(gate, {
      server,
      method: 'initialize',
      params: {
        protocolVersion: PROTOCOL_VERSIONS[0],
        capabilities: {},
        clientInfo: { name: 'remit', version: '1' },
      },
      signal,
    })
    const result = isObject(answer.message.result) ? answer.message.result : {}
    const session: Session = {
      server: server.name,
      version: String(result.protocolVersion ?? PROTOCOL_VERSIONS[0]),
      ...(answer.session === undefined ? {} : { upstream: answer.session }),
    }
    await notify(gate, { server, session }, { jsonrpc: '2.0', method: 'notifications/initialized' })
    return session
  }
  const sessionOf = (server: RemitServer): Promise<Session> => {
    const key = keyOf(server)
    let session = open.get(key)
    if (!session) {
      session = begin(server)
      open.set(key, session)
      session.catch(() => open.delete(key))
    }
    return session
  }
  return {
    /** As {@link ask}, in a session of the gate's own, which is begun again once when the server has forgotten it. */
    ask: async (question: Omit<Question, 'session'>) => {
      try {
        return await ask(gate, { ...question, session: await sessionOf(question.server) })
      } catch (error) {
        if (!(error instanceof SessionGone)) throw error
        open.delete(keyOf(question.server))
        return ask(gate, { ...question, session: await sessionOf(question.server) })
      }
    },
  }
}
