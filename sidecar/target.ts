import type { RemitModel, RemitServer } from '../lib/api/remit.ts'
import { UserError } from '../lib/core/errors.ts'
import type { Credentials } from './context.ts'
import type { Target } from './upstream.ts'

/** A header value: visible characters and inner spaces. */
const HEADER_VALUE = /^[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/

/**
 * Where a declared server or model is, with its credential as it is at this moment. Throws
 * UserError(CredentialMissing) when one is declared and is not there: it would be called as somebody else.
 */
export const targetOf = (
  kind: 'server' | 'model',
  declared: RemitServer | RemitModel,
  credentials: Credentials,
): Target => {
  const { name, host } = declared
  const target: Target = { name, url: new URL(declared.url), host }
  if (!declared.credential) return target
  const { header, scheme } = declared.credential
  const value = credentials(kind, name)?.trim()
  if (!value || !HEADER_VALUE.test(value)) throw new UserError('CredentialMissing', { server: name })
  return { ...target, credential: { header, value: scheme ? `${scheme} ${value}` : value } }
}
