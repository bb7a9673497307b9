import { createHash, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { canonical } from '../../lib/core/canonical.ts'
import type { Anchor } from '../../lib/core/jws.ts'
import type { Secret } from '../../lib/kube/resources.ts'
import { overlap } from './overlap.ts'

interface SigningKey {
  kid: string
  createdAt: number
  privateKey: JsonWebKey
}
export interface SigningKeys {
  signer: { kid: string; privateKey: JsonWebKey }
  anchors: Anchor[]
  /** What the Secret should hold, base64. */
  data: Record<string, string>
  nextAt: number
}

const FIELD = 'keys.json'

/** RFC 7638 thumbprint of the public key. */
const thumbprint = ({ crv, kty, x }: JsonWebKey) =>
  createHash('sha256').update(canonical({ crv, kty, x })).digest('base64url')

const newKey = (now: number): SigningKey => {
  const privateKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return { kid: thumbprint(privateKey), createdAt: now, privateKey }
}

const isKey = (value: SigningKey): boolean =>
  Number.isFinite(value?.createdAt) &&
  value.privateKey?.crv === 'Ed25519' &&
  Boolean(value.privateKey.d) &&
  value.kid === thumbprint(value.privateKey)

/** @throws Error when the Secret holds something else: making new keys silently would cut off every running sidecar. */
const read = (secret: Secret | undefined): SigningKey[] => {
  const text = secret?.data?.[FIELD]
  if (!text) return []
  const keys = JSON.parse(Buffer.from(text, 'base64').toString()) as SigningKey[]
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isKey))
    throw new Error('the signing key Secret is damaged')
  return keys
}

/** The keys that sign remits and are trusted to, now; a new one is trusted a sixth of `lifeMs` before it signs. */
export const nextSigningKeys = (secret: Secret | undefined, now: number, lifeMs: number): SigningKeys => {
  const held = read(secret)
  const made = overlap(held, now, lifeMs).due ? [newKey(now)] : []
  const { known, active, nextAt } = overlap([...held, ...made], now, lifeMs)
  const anchors = known.map(({ kid, privateKey }) => ({ kty: 'OKP', crv: 'Ed25519', x: privateKey.x ?? '', kid }))
  return {
    signer: { kid: active!.kid, privateKey: active!.privateKey },
    anchors,
    data: { [FIELD]: Buffer.from(JSON.stringify(known)).toString('base64') },
    nextAt,
  }
}
