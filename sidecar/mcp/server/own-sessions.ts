import { randomUUID } from 'node:crypto'
import { RPC } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { canonical } from '../../../lib/core/canonical.ts'
import { isObject, type JsonObject } from '../../../lib/core/json-rpc.ts'
import type { Outside } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { within } from '../forward.ts'
import { isSupportedVersion, PROTOCOL_VERSIONS } from '../revision.ts'
import type { Session } from '../sessions.ts'
import { GATE_INFO } from './eras.ts'
import { exchange } from './legacy-exchange.ts'
import { tell } from './tell.ts'

const BEGIN_MS = 10_000
/** Sessions kept at a time; agents differ in few capabilities, so more are a mistake or a try. */
const MAX_OPEN = 64

/** A session of the gate's own with a server of the older revisions. */
export interface OwnSession {
  session: Session
  /** What the server said when it began. */
  hello: JsonObject
  /** Level from which on the server logs, as far as the gate asked. */
  level?: string
  /** Resources subscribed to in it, and for how many listeners. */
  followed: Map<string, number>
}

export interface OwnSessions {
  /** The session in which the gate has these capabilities, begun when it is not there. */
  of: (server: RemitServer, capabilities: JsonObject) => Promise<OwnSession>
  /** The server does not know this session any more. */
  forget: (own: OwnSession) => void
}

export const createOwnSessions = (gate: Outside): OwnSessions => {
  const open = new Map<string, Promise<OwnSession>>()
  /** Of those that have begun the keys; one that is forgotten already is not here. */
  const begun = new WeakMap<OwnSession, string>()

  const begin = async (server: RemitServer, capabilities: JsonObject): Promise<OwnSession> => {
    const limit = within(Math.min(BEGIN_MS, gate.limits.idleMs))
    try {
      const answer = await exchange(
        gate,
        { server, session: undefined },
        {
          jsonrpc: '2.0',
          id: randomUUID(),
          method: 'initialize',
          params: { protocolVersion: PROTOCOL_VERSIONS[0], capabilities, clientInfo: GATE_INFO },
        },
        {
          signal: limit.signal,
          onNotification: () => {},
          onRequest: async () => ({ error: { code: RPC.methodNotFound, message: 'The session has not begun.' } }),
        },
      )
      const hello = answer.message.result
      if (!isObject(hello) || !isSupportedVersion(hello.protocolVersion))
        throw new UpstreamFailure('invalid', 'the server begins no session of a version the gate speaks', true)
      const session: Session = {
        server: server.name,
        version: String(hello.protocolVersion),
        ...(answer.session === undefined ? {} : { upstream: answer.session }),
      }
      await tell(gate, { server, session }, { jsonrpc: '2.0', method: 'notifications/initialized' })
      return { session, hello, followed: new Map() }
    } finally {
      limit.done()
    }
  }
  return {
    of: (server, capabilities) => {
      const key = `${server.name} ${server.url} ${canonical(capabilities)}`
      const before = open.get(key)
      if (before) return before
      if (open.size >= MAX_OPEN) open.delete(open.keys().next().value!)
      const own = begin(server, capabilities)
      open.set(key, own)
      own.then(
        (known) => begun.set(known, key),
        () => open.get(key) === own && open.delete(key),
      )
      return own
    },
    forget: (own) => {
      const key = begun.get(own)
      if (key === undefined) return
      begun.delete(own)
      open.delete(key)
    },
  }
}
