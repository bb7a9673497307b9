import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto'
import type { Remit, SignedRemit } from '../api/remit.ts'
import { canonical, sha256hex } from './canonical.ts'
import { UserError } from './errors.ts'
import { parseStrict } from './strict.ts'

/** An Ed25519 public key that may sign remits. */
export type Anchor = NonNullable<Remit['anchors']>[number]

const TYPE = 'remit+jws'

/** SHA-256 (hex) of the remit's RFC 8785 form: the digest that status, receipts and people name. */
export const remitDigest = (remit: Remit): string => sha256hex(textOf(remit))

/** Signs a remit as a compact JWS with detached payload (RFC 7515 appendix F). The key is Ed25519, private. */
export function signRemit(remit: Remit, key: { kid: string; privateKey: KeyObject | JsonWebKey }): SignedRemit {
  const privateKey =
    'asymmetricKeyType' in key.privateKey
      ? (key.privateKey as KeyObject)
      : createPrivateKey({ key: key.privateKey as JsonWebKey, format: 'jwk' })
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('remits are signed with Ed25519 keys only')
  const header = encode(canonical({ alg: 'EdDSA', kid: key.kid, typ: TYPE, cluster: remit.cluster }))
  const signature = sign(null, signingInput(header, remit), privateKey)
  return { remit, signature: `${header}..${signature.toString('base64url')}` }
}

/**
 * The remit, when one of the anchors signed it for this cluster and this agent. Everything else, down to a header
 * field we do not know, is a UserError RemitInvalid: a remit that is not beyond doubt must not come into force.
 */
export function verifyRemit(
  signed: SignedRemit,
  anchors: Anchor[],
  expect: { cluster: string; agentId: string },
): Remit {
  const refuse = (detail: string): never => {
    throw new UserError('RemitInvalid', { detail })
  }
  if (typeof signed?.signature !== 'string' || typeof signed.remit !== 'object' || signed.remit === null) {
    return refuse('it is not a remit with its signature')
  }
  const match = /^([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]{86})$/.exec(signed.signature)
  if (match === null) return refuse('its signature is not a detached JWS')
  const [, encoded = '', signature = ''] = match
  const parsed = parseStrict(Buffer.from(encoded, 'base64url'), { maxBytes: 4096, maxDepth: 1 })
  if (!parsed.ok || parsed.value === null || typeof parsed.value !== 'object' || Array.isArray(parsed.value)) {
    return refuse('its signature has no readable header')
  }
  const header = parsed.value
  if (Object.keys(header).sort().join() !== 'alg,cluster,kid,typ') return refuse('its header has other fields')
  if (header.alg !== 'EdDSA' || header.typ !== TYPE) return refuse('it is signed in another way than EdDSA')
  const keys = anchors.filter((anchor) => anchor.kid === header.kid && anchor.kty === 'OKP' && anchor.crv === 'Ed25519')
  if (keys.length === 0) return refuse('no anchor knows the key it is signed with')
  const { remit } = signed
  const input = signingInput(encoded, remit)
  const bytes = Buffer.from(signature, 'base64url')
  if (!keys.some((key) => verify(null, input, createPublicKey({ key: { ...key }, format: 'jwk' }), bytes))) {
    return refuse('its signature does not verify')
  }
  if (header.cluster !== expect.cluster || remit.cluster !== expect.cluster) return refuse('it is for another cluster')
  if (remit.agent.id !== expect.agentId) return refuse('it is for another agent')
  if (remit.version !== 1) return refuse('it is of another version')
  return remit
}

const encode = (text: string): string => Buffer.from(text).toString('base64url')
const signingInput = (header: string, remit: Remit): Buffer => Buffer.from(`${header}.${encode(textOf(remit))}`)

/** Of the remit that was looked at last: who signs or verifies one asks for its digest next, and the form is most of the work. */
let last: { remit: Remit; text: string } | undefined

const textOf = (remit: Remit): string => {
  if (last?.remit === remit) return last.text
  const text = canonical(remit)
  // Another one may be changed between two looks.
  if (Object.isFrozen(remit)) last = { remit, text }
  return text
}
