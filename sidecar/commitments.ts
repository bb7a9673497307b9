import { createHash, createHmac, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { IntentBody } from '../lib/api/receipt.ts'
import { canonical } from '../lib/core/canonical.ts'
import type { Json } from '../lib/core/strict.ts'
import { readIfThere, replaceFile } from '../lib/service/files.ts'

/** What a value belongs to: its receipt by the trace in it, and which part of the call. */
export interface Place {
  trace: NonNullable<IntentBody['trace']>
  part: 'arguments' | 'result' | 'object'
}

/** Stand-ins for values that may not be seen: whoever holds the key can show what was there, and nobody can guess it. */
export interface Commitments {
  /** {"dev.remit/commitment": "sha256:<hex>"} for the value at a place of a call. */
  at: (place: Place) => (where: string, value: Json) => Json
  /** SHA-256 (hex) of a salt and the text: the digest of arguments some of which are redacted. */
  digest: (place: Place, text: string) => string
}

export const COMMITMENT = 'dev.remit/commitment'
const KEY_FILE = 'commitment.key'

/** RFC 8785; what a server sends may have no such form (a lone surrogate), and must not pass for that. */
const textOf = (value: Json): string => {
  try {
    return canonical(value)
  } catch {
    return JSON.stringify(value)
  }
}

/**
 * Commitments under a key of the directory (made there once, mode 0600). The salt of a value is HMAC-SHA256 of
 * "<traceId>/<spanId>/<part>/<where>" under it, the commitment SHA-256 of the salt and the value's RFC 8785 form: the
 * span id is made for each call, so equal values of two calls look different.
 */
export const createCommitments = (dir: string): Commitments => {
  const saved = readIfThere(join(dir, KEY_FILE))
  const key = saved && /^[0-9a-f]{64}$/.test(saved) ? Buffer.from(saved, 'hex') : randomBytes(32)
  if (saved !== key.toString('hex')) replaceFile(join(dir, KEY_FILE), key.toString('hex'))
  const salted = ({ trace, part }: Place, where: string, text: string): string => {
    const salt = createHmac('sha256', key).update(`${trace.traceId}/${trace.spanId}/${part}/${where}`).digest()
    return createHash('sha256').update(salt).update(text).digest('hex')
  }
  return {
    at: (place) => (where, value) => ({ [COMMITMENT]: `sha256:${salted(place, where, textOf(value))}` }),
    digest: (place, text) => salted(place, '', text),
  }
}
