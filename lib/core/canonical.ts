import crypto, { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/**
 * RFC 8785 (JSON Canonicalization Scheme) text of a JSON value; members that are undefined are left out, as
 * JSON.stringify does. Throws an Error for what has no such form (NaN, lone surrogates, cycles, undefined itself).
 */
export function canonical(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new Error('no canonical JSON form')
  return text
}

/** SHA-256 in lower-case hex of bytes, or of a text's UTF-8. */
export const sha256hex: (data: string | Uint8Array) => string =
  // Twice as fast for what is hashed here, and not there before Node 20.12.
  typeof crypto.hash === 'function'
    ? (data) => crypto.hash('sha256', data, 'hex')
    : (data) => createHash('sha256').update(data).digest('hex')
