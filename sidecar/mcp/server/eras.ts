import { randomUUID } from 'node:crypto'
import { HEADER, MODERN_VERSION } from '../../../lib/api/mcp.ts'
import type { RemitServer } from '../../../lib/api/remit.ts'
import { discovery, isModernAnswer, isModernError, PROBE_MS } from '../../../lib/core/era.ts'
import type { JsonObject } from '../../../lib/core/json-rpc.ts'
import { mirror } from '../../../lib/core/mirror/mirror.ts'
import type { Outside } from '../../context.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { readAnswer } from '../answer.ts'
import { within } from '../forward.ts'
import type { Era } from '../ports.ts'
import { post, readRefusal } from './post.ts'

const PROBE_BYTES = 1024 * 1024

/** Finds out which era servers speak, and remembers it. What an agent says has no part in it. */
export interface Eras {
  /** Rejects with UpstreamFailure when there is no server, or UserError(CredentialMissing). */
  of: (server: RemitServer) => Promise<Era>
  /** The server has behaved as one of another era. */
  forget: (server: RemitServer) => void
}

/** What the gate says of itself where a server wants to know the client. */
export const GATE_INFO: JsonObject = { name: 'remit', version: '1' }

const DISCOVER = discovery(GATE_INFO)

/** `sure`: it answered so, and will again. */
const probe = async (gate: Outside, server: RemitServer): Promise<{ era: Era; sure: boolean }> => {
  const id = randomUUID()
  const limit = within(Math.min(PROBE_MS, gate.limits.idleMs))
  try {
    const response = await post(gate, {
      server,
      headers: { [HEADER.version]: MODERN_VERSION, ...mirror(DISCOVER) },
      message: { jsonrpc: '2.0', id, ...DISCOVER },
      signal: limit.signal,
    })
    const { statusCode = 0 } = response
    if (statusCode !== 200)
      return { era: isModernError(await readRefusal(response)) ? 'modern' : 'legacy', sure: statusCode < 500 }
    const { message } = await readAnswer(response, {
      id,
      maxBytes: PROBE_BYTES,
      signal: limit.signal,
      onMessage: () => {},
    })
    return { era: isModernAnswer(message) ? 'modern' : 'legacy', sure: true }
  } catch (error) {
    if (!(error instanceof UpstreamFailure) || !error.sent) throw error
    // One that is silent will be so again, and whoever waits for it has waited once.
    return { era: 'legacy', sure: error.kind === 'invalid' || error.kind === 'timeout' }
  } finally {
    limit.done()
  }
}

export const createEras = (gate: Outside): Eras => {
  const known = new Map<string, Promise<Era>>()
  const keyOf = ({ name, url }: RemitServer) => `${name} ${url}`
  return {
    of: (server) => {
      const key = keyOf(server)
      const before = known.get(key)
      if (before) return before
      const found = probe(gate, server).then(
        ({ era, sure }) => {
          if (!sure && known.get(key) === found) known.delete(key)
          return era
        },
        (error: unknown) => {
          if (known.get(key) === found) known.delete(key)
          throw error
        },
      )
      known.set(key, found)
      return found
    },
    forget: (server) => void known.delete(keyOf(server)),
  }
}
