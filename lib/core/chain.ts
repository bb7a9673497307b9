import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import type { Envelope, Receipt, ReceiptBody, ReceiptKind } from '../api/receipt.ts'
import { canonical, sha256hex } from './canonical.ts'
import { isObject } from './json-rpc.ts'

/** Bytes of the canonical form of one body. */
export const MAX_BODY_BYTES = 16 * 1024

/** One container start's identity: its key signs every receipt of its chain. */
export interface Incarnation {
  /** The first 12 hex digits of SHA-256 over the raw public key. */
  id: string
  privateKey: KeyObject
  /** Ed25519, raw, base64url. */
  publicKey: string
}
export interface ChainState {
  agent: string
  incarnation: Incarnation
  /** Of the next receipt. */
  seq: number
  /** envelopeHash of the one before; "" at the beginning. */
  prev: string
}

export function newIncarnation(): Incarnation {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'jwk' }).x as string
  return { id: incarnationId(raw), privateKey, publicKey: raw }
}

const incarnationId = (publicKey: string): string => sha256hex(Buffer.from(publicKey, 'base64url')).slice(0, 12)

/** The state before an incarnation's first receipt. @param agent agentID */
export const startChain = (incarnation: Incarnation, agent: string): ChainState => ({
  agent,
  incarnation,
  seq: 0,
  prev: '',
})

/**
 * Makes the next receipt of a chain and the state after it; the state given stays valid until the receipt is kept.
 * `text` is the receipt's RFC 8785 form, which has no line break.
 * @param time milliseconds since the epoch
 * @throws Error for a body of another kind or over 16 KB
 */
export function seal(
  state: ChainState,
  kind: ReceiptKind,
  body: ReceiptBody,
  time: number,
  epoch: number,
): { receipt: Receipt; text: string; state: ChainState } {
  if (body.kind !== kind) throw new Error(`a body of kind ${body.kind} in a receipt of kind ${kind}`)
  const text = canonical(body)
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) throw new Error(`a receipt body over ${MAX_BODY_BYTES} bytes`)
  const unsigned = {
    v: 1,
    kind,
    agent: state.agent,
    incarnation: state.incarnation.id,
    epoch,
    seq: state.seq,
    prev: state.prev,
    time: new Date(time).toISOString(),
    body: sha256hex(text),
  } as const
  const [before, after] = aroundSignature(unsigned)
  const sig = sign(null, Buffer.from(`${before}${after}`), state.incarnation.privateKey).toString('base64url')
  const envelopeText = `${before}"sig":"${sig}",${after}`
  return {
    receipt: { envelope: { ...unsigned, sig }, body },
    text: `{"body":${text},"envelope":${envelopeText}}`,
    state: { ...state, seq: state.seq + 1, prev: sha256hex(envelopeText) },
  }
}

/**
 * The RFC 8785 form of an envelope of ours in the two halves that `sig` goes between. Written out because every call is
 * sealed twice; `canonical` says the same of any envelope. Digests, ids and the time are hex and ISO 8601 already.
 */
const aroundSignature = (e: Omit<Envelope, 'sig'>): [before: string, after: string] => [
  `{"agent":${canonical(e.agent)},"body":"${e.body}","epoch":${canonical(e.epoch)},"incarnation":"${e.incarnation}","kind":"${e.kind}","prev":"${e.prev}","seq":${e.seq},`,
  `"time":"${e.time}","v":${e.v}}`,
]

/** SHA-256 (hex) of the envelope's RFC 8785 form: what the next one's `prev` holds. */
export const envelopeHash = (envelope: Envelope): string => sha256hex(canonical(envelope))

export type ChainVerdict = { ok: true } | { ok: false; at: number; why: string }

/**
 * Checks receipts of one incarnation, in order and without gaps. `at` is the index of the first that is wrong.
 * @param publicKey raw, base64url; without it the first receipt must be seq 0, whose body names the key
 * @param after what was verified before these: its seq and envelopeHash
 */
export function verifyReceipts(
  receipts: Receipt[],
  publicKey?: string,
  after?: { seq: number; hash: string },
): ChainVerdict {
  const [first] = receipts
  if (first === undefined) return { ok: true }
  const named =
    isObject(first) && isObject(first.body) && first.body.kind === 'incarnation' ? first.body.publicKey : undefined
  const raw = publicKey ?? named
  if (typeof raw !== 'string') return { ok: false, at: 0, why: 'no incarnation receipt names the key' }
  const key = publicKeyOf(raw)
  if (key === undefined) return { ok: false, at: 0, why: 'the key is not an Ed25519 key' }
  let last = after
  for (const [at, receipt] of receipts.entries()) {
    const why = shapeProblem(receipt) ?? problemOf(receipt, raw, key, last) ?? agentProblem(receipt, first)
    if (why !== undefined) return { ok: false, at, why }
    last = { seq: receipt.envelope.seq, hash: envelopeHash(receipt.envelope) }
  }
  return { ok: true }
}

const ENVELOPE_KEYS = 'agent,body,epoch,incarnation,kind,prev,seq,sig,time,v'
const keysOf = (value: object): string => Object.keys(value).sort().join()

/** What keeps a value, whatever it is, from being looked at as a receipt. */
function shapeProblem(receipt: unknown): string | undefined {
  if (!isObject(receipt) || keysOf(receipt) !== 'body,envelope') return 'a receipt has an envelope and a body only'
  const { envelope, body } = receipt
  if (!isObject(envelope) || keysOf(envelope) !== ENVELOPE_KEYS || envelope.v !== 1)
    return 'the envelope has other fields'
  const { epoch, seq, v: _, ...texts } = envelope
  if (
    !Number.isSafeInteger(epoch) ||
    !Number.isSafeInteger(seq) ||
    !Object.values(texts).every((text) => typeof text === 'string')
  ) {
    return 'a field of the envelope is of another type'
  }
  if (!isObject(body)) return 'the body is not an object'
  return hasCanonicalForm(receipt) ? undefined : 'the receipt has no canonical form'
}

function hasCanonicalForm(value: unknown): boolean {
  try {
    canonical(value)
    return true
  } catch {
    return false
  }
}

const agentProblem = (receipt: Receipt, first: Receipt): string | undefined =>
  receipt.envelope.agent === first.envelope.agent ? undefined : 'the agent changes within the chain'

function problemOf(
  receipt: Receipt,
  raw: string,
  key: KeyObject,
  last: { seq: number; hash: string } | undefined,
): string | undefined {
  const { envelope, body } = receipt
  if (envelope.incarnation !== incarnationId(raw)) return 'the incarnation is not that of the key'
  const expected = last === undefined ? 0 : last.seq + 1
  if (envelope.seq !== expected) return `seq ${envelope.seq} where ${expected} must follow`
  if (envelope.prev !== (last?.hash ?? '')) return 'prev is not the hash of the envelope before'
  if ((envelope.seq === 0) !== (envelope.kind === 'incarnation'))
    return 'an incarnation receipt is at seq 0 and only there'
  if (body.kind !== envelope.kind) return 'the body is of another kind'
  if (body.kind === 'incarnation' && body.publicKey !== raw) return 'the incarnation names another key'
  if (sha256hex(canonical(body)) !== envelope.body) return 'the body is not the one that was signed'
  const { sig, ...unsigned } = envelope
  const signature = Buffer.from(sig, 'base64url')
  // A second spelling of the same bytes would give one receipt two hashes.
  if (signature.toString('base64url') !== sig) return 'the signature is not canonical base64url'
  return verify(null, Buffer.from(canonical(unsigned)), key, signature) ? undefined : 'the signature does not verify'
}

function publicKeyOf(raw: string): KeyObject | undefined {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw }, format: 'jwk' })
  } catch {
    return undefined
  }
}
