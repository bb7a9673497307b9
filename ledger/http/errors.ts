import type { Response } from 'express'
import { type ErrorCode, UserError } from '../../lib/core/errors.ts'
import type { Logger } from '../../lib/service/log.ts'

const STATUS: Partial<Record<ErrorCode, number>> = {
  MalformedRequest: 400,
  ReceiptInvalid: 400,
  Unauthenticated: 401,
  Forbidden: 403,
  NotFound: 404,
  ReceiptGap: 409,
  ReceiptFork: 409,
  RequestTooLarge: 413,
  LedgerBusy: 429,
  NoRemit: 503,
  LedgerUnavailable: 503,
  LedgerFull: 507,
}

/** HTTP status of a failure: 500 for what is our own bug. */
const statusOf = (error: unknown): number => (error instanceof UserError && STATUS[error.code]) || 500

/** What a caller may read of a failure; our own bugs are only in the log. */
export const explain = (
  error: unknown,
  log: Logger,
): { status: number; code: string; message: string; retryAfterSeconds?: number } => {
  const status = statusOf(error)
  if (error instanceof UserError && status !== 500) {
    const asked = error.values.retryAfterSeconds
    const retryAfterSeconds = typeof asked === 'number' ? asked : status === 503 ? 1 : undefined
    return { status, code: error.code, message: error.message, retryAfterSeconds }
  }
  log.error({ err: error }, 'request failed')
  return { status, code: 'InternalError', message: 'The ledger failed; its log says why.' }
}

/** Answers a sidecar: {error: {code, message}}, with what a ReceiptGap expects. */
export const sendError = (response: Response, error: unknown, log: Logger): void => {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, code, message, retryAfterSeconds } = explain(error, log)
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds))
  const expectedSeq = error instanceof UserError ? error.values.expectedSeq : undefined
  response.status(status).json({ error: { code, message, expectedSeq } })
}
