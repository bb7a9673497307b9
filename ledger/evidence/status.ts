import { UserError } from '../../lib/core/errors.ts'
import type { Logger } from '../../lib/service/log.ts'
import { explain } from '../http/errors.ts'

/** What a query of the evidence API did wrong; becomes a metav1.Status. */
export class QueryError extends Error {
  override name = 'QueryError'
  readonly code: number
  readonly reason: string
  constructor(code: number, reason: string, message: string) {
    super(message)
    this.code = code
    this.reason = reason
  }
}
export const badRequest = (message: string) => new QueryError(400, 'BadRequest', message)

const REASON: Record<number, string> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  503: 'ServiceUnavailable',
}

/** metav1.Status of a failure, as every Kubernetes client reads it. */
export const toStatus = (error: unknown, log: Logger) => {
  const status = (code: number, reason: string, message: string) => ({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
  })
  if (error instanceof QueryError) return status(error.code, error.reason, error.message)
  const { status: code, message } = explain(error, log)
  const forbidden = error instanceof UserError && error.code === 'Forbidden'
  return status(
    code,
    REASON[code] ?? 'InternalError',
    forbidden ? `receipts.evidence.remit.dev is forbidden: ${error.values.detail}` : message,
  )
}
