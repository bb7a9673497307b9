import { LEGACY_VERSIONS, META, MODERN_VERSION, RPC } from '../../lib/api/mcp.ts'
import { VERSION } from '../../lib/api/version.ts'
import { isObject, type JsonObject } from '../../lib/core/json-rpc.ts'
import type { Answer } from '../json/rpc.ts'
import type { Peer } from './peer.ts'

/** What a server says of itself, in either era. */
export interface Hello {
  era: 'modern' | 'legacy'
  /** The revision spoken with it. */
  version: string
  capabilities: JsonObject
  serverInfo: JsonObject
  instructions?: string
  /** What a server of 2026-07-28 answered, whole. */
  discovered?: JsonObject
}

const OUR_INFO = { name: 'remit-bridge', version: VERSION }
/** Silence after which a server that has not answered `server/discover` is asked to initialize. */
const PROBE_MS = 3_000

const ask = (peer: Peer, method: string, params: JsonObject): Promise<Answer | { lost: string }> =>
  new Promise((resolve) => {
    peer.call(
      { method, params },
      {
        onAnswer: ({ message }) =>
          resolve(isObject(message.result) ? { result: message.result } : { error: message.error as JsonObject }),
        onLost: (detail) => resolve({ lost: detail }),
      },
    )
  })

const object = (value: unknown): JsonObject => (isObject(value) ? value : {})

const modernHello = (answer: Answer | { lost: string }): Hello | undefined => {
  if (!('result' in answer)) return undefined
  const { supportedVersions, capabilities, instructions, _meta } = answer.result
  if (!Array.isArray(supportedVersions) || !supportedVersions.includes(MODERN_VERSION)) return undefined
  return {
    era: 'modern',
    version: MODERN_VERSION,
    capabilities: object(capabilities),
    serverInfo: object(object(_meta)[META.serverInfo]),
    discovered: answer.result,
    ...(typeof instructions === 'string' ? { instructions } : {}),
  }
}

const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the server did not answer within ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const shakeHands = async (
  peer: Peer,
  client: { capabilities: JsonObject; clientInfo?: JsonObject | undefined },
): Promise<Hello> => {
  const answer = await ask(peer, 'initialize', {
    protocolVersion: LEGACY_VERSIONS[0],
    capabilities: client.capabilities,
    clientInfo: client.clientInfo ?? OUR_INFO,
  })
  if ('lost' in answer) throw new Error(answer.lost)
  if ('error' in answer) throw new Error(`the server refused initialize with code ${String(answer.error.code)}`)
  const { protocolVersion, capabilities, serverInfo, instructions } = answer.result
  if (!(LEGACY_VERSIONS as readonly unknown[]).includes(protocolVersion))
    throw new Error(`the server speaks revision ${String(protocolVersion).slice(0, 20)}, which the bridge does not`)
  peer.notify('notifications/initialized')
  return {
    era: 'legacy',
    version: String(protocolVersion),
    capabilities: object(capabilities),
    serverInfo: object(serverInfo),
    ...(typeof instructions === 'string' ? { instructions } : {}),
  }
}

/** `initialize` and what follows it, as a client with these capabilities. Throws an Error that says what was wrong. */
export const initialize = (
  peer: Peer,
  client: { capabilities: JsonObject; clientInfo?: JsonObject | undefined },
  startMs: number,
): Promise<Hello> => within(startMs, shakeHands(peer, client))

/**
 * Finds out which era a server is of, as the stdio transport of 2026-07-28 has it, and greets it: `server/discover`
 * first, `initialize` after an answer that is not of that era or after a silence. A server that is only slow answers
 * both; it is then taken for what it said to `initialize`, because that is what it goes on with.
 */
export const greet = async (peer: Peer, startMs: number): Promise<Hello> => {
  const discovered = ask(peer, 'server/discover', {
    _meta: { [META.protocolVersion]: MODERN_VERSION, [META.clientInfo]: OUR_INFO, [META.clientCapabilities]: {} },
  })
  const silence = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PROBE_MS).unref())
  const find = async (): Promise<Hello> => {
    const first = await Promise.race([discovered, silence])
    if (first) {
      const hello = modernHello(first)
      if (hello) return hello
      if ('lost' in first) throw new Error(first.lost)
      if ('error' in first && first.error.code === RPC.unsupportedVersion) {
        const supported = object(first.error.data).supported
        if (
          !Array.isArray(supported) ||
          !supported.some((version) => (LEGACY_VERSIONS as readonly unknown[]).includes(version))
        )
          throw new Error('the server speaks none of the revisions that the bridge does')
      }
      return shakeHands(peer, { capabilities: {} })
    }
    return shakeHands(peer, { capabilities: {} }).catch(async (error: unknown) => {
      const hello = peer.ended() === undefined ? modernHello(await discovered) : undefined
      if (hello) return hello
      throw error
    })
  }
  return within(startMs, find())
}
