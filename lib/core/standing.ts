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
 * Why a remit gives nothing at this moment, whatever is asked: it is suspended, or its time is over. Undefined while it
 * stands.
 * @param now milliseconds since the epoch
 */
export function fallen({ remit, expiresAt }: PreparedRemit, now: number) {
  if (remit.suspended !== undefined && remit.suspended !== false) return refuse('AgentSuspended')
  if (expiresAt !== undefined && !(now < expiresAt)) return refuse('RemitExpired', { at: String(remit.expiresAt) })
  return undefined
}
