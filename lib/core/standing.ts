import type { DecisionRecord } from '../api/receipt.ts'
import { describe, type ErrorCode, type ErrorValues } from './errors.ts'
import type { PreparedRemit } from './prepare.ts'

/** A denial in the words of the catalog. */
export const refuse = (code: ErrorCode, values: ErrorValues = {}): DecisionRecord & { code: ErrorCode } => ({
  effect: 'Deny',
  code,
  reason: describe(code, values).message,
})

/**
 * Why a remit gives nothing at this moment, whatever is asked: it is suspended, its time is over, or it says what
 * this version does not know. Undefined while it stands.
 * @param now milliseconds since the epoch
 */
export function fallen({ remit, expiresAt, unknown }: PreparedRemit, now: number) {
  if (remit.suspended !== undefined && remit.suspended !== false) return refuse('AgentSuspended')
  if (expiresAt !== undefined && !(now < expiresAt)) return refuse('RemitExpired', { at: String(remit.expiresAt) })
  if (unknown !== undefined) return refuse('RemitNotUnderstood', { detail: unknown })
  return undefined
}
