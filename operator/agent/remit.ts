import { LRUCache } from 'lru-cache'
import type { AgentRemit } from '../../lib/api/gen/types.ts'
import type { Remit, SignedRemit } from '../../lib/api/remit.ts'
import { canonical, sha256hex } from '../../lib/core/canonical.ts'
import { UserError } from '../../lib/core/errors.ts'
import { remitDigest, signRemit, verifyRemit } from '../../lib/core/jws.ts'
import { oncePerObject } from '../../lib/core/once.ts'
import type { Trust } from './world.ts'

/** What a remit says, apart from which one it is and who wrote it when. */
const content = oncePerObject(({ generation: _g, epoch: _e, issuedAt: _i, ...rest }: Remit): string =>
  sha256hex(canonical(rest)),
)

/** Of a remit in force, how the last one wanted that says the same was written: what is compiled of the same is. */
const agreed = new WeakMap<Remit, string>()

const saysTheSame = (current: Remit, wanted: Remit): boolean => {
  const { generation: _g, epoch: _e, issuedAt: _i, ...rest } = wanted
  const written = sha256hex(JSON.stringify(rest))
  if (agreed.get(current) === written) return true
  const same = content(current) === content(wanted)
  if (same) agreed.set(current, written)
  return same
}

/** The digest that status and people name it by. */
export const digestOf = oncePerObject(remitDigest)

/** What was found of an object stays true of it: cached objects never change, and most reconciles meet the same one. */
const verified = new WeakMap<AgentRemit, Found>()
/** The same comes twice in a row, as the answer to its write and in the cache. */
const justFound = new LRUCache<string, Found>({ max: 64 })

interface Found {
  trust: Trust
  agentId: string
  /** Nobody changes it from here on, so that its digests are worked out once. */
  remit: Remit | undefined
}

/** The remit an AgentRemit holds, if we signed it for this agent; anything else counts for nothing. */
export const signedByUs = (object: AgentRemit | undefined, trust: Trust, agentId: string): Remit | undefined => {
  if (!object) return undefined
  const holds = (found: Found | undefined) => found?.trust === trust && found.agentId === agentId
  const known = verified.get(object)
  if (known && holds(known)) return known.remit
  const text = sha256hex(JSON.stringify(object.spec))
  const before = justFound.get(text)
  const found =
    before && holds(before) ? before : { trust, agentId, remit: Object.freeze(verify(object, trust, agentId)) }
  justFound.set(text, found)
  verified.set(object, found)
  return found.remit
}

const verify = (object: AgentRemit, trust: Trust, agentId: string): Remit | undefined => {
  const signed = { remit: object.spec.remit as unknown as Remit, signature: object.spec.signature }
  try {
    return verifyRemit(signed, trust.anchors, { cluster: trust.cluster, agentId })
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

const kidOf = (signature: string): string | undefined => {
  const header = JSON.parse(Buffer.from(signature.split('.')[0] ?? '', 'base64url').toString()) as { kid?: string }
  return header.kid
}

export interface NextRemit {
  wanted: Remit
  /** As stored now. */
  stored?: AgentRemit
  /** `status.remit.generation`: what was in force even if the AgentRemit is gone. */
  lastGeneration?: number
  trust: Trust
  epoch: number
  now: number
}

/**
 * The remit to write, or undefined when the stored one already says what is wanted, signed with the current key.
 * A generation only grows: by one over what we signed before; when that is gone, to at least the time in Unix
 * milliseconds, which no generation reached by counting is above.
 */
export const nextRemit = ({
  wanted,
  stored,
  lastGeneration = 0,
  trust,
  epoch,
  now,
}: NextRemit): SignedRemit | undefined => {
  const current = signedByUs(stored, trust, wanted.agent.id)
  if (stored && current && saysTheSame(current, wanted) && kidOf(stored.spec.signature) === trust.signer.kid)
    return undefined
  const generation = current ? Math.max(current.generation, lastGeneration) + 1 : Math.max(lastGeneration + 1, now)
  const remit = Object.freeze({ ...wanted, generation, epoch, issuedAt: new Date(now).toISOString() })
  return signRemit(remit, trust.signer)
}
