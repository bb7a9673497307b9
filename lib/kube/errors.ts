import type { Status } from './types.ts'

/** No API server asks for more; what lies before it may, and a timer told to wait for over 24 days fires at once. */
const longestRetryAfterMs = 300_000

/** An answer of the API server that is not a success. `message` is the server's own sentence. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** HTTP status, or the code of a Status that came inside a watch. */
  readonly code: number
  /** Machine-readable reason of the Status, as `NotFound`, `Conflict`, `Expired`; empty if the body was none. */
  readonly reason: string
  /** Not enumerable: what serializes an error for a log must not carry what the server echoes of an object. */
  declare readonly status: Status
  /** Milliseconds the server asks to wait, from `Retry-After` or the Status; 300,000 at most. */
  readonly retryAfterMs: number | undefined

  constructor(code: number, status: Status, retryAfterMs?: number) {
    super(status.message || `the API server answered ${code}`)
    this.code = code
    this.reason = status.reason ?? ''
    Object.defineProperty(this, 'status', { value: status, enumerable: false })
    const fromStatus = status.details?.retryAfterSeconds
    const asked = retryAfterMs ?? (fromStatus ? fromStatus * 1000 : undefined)
    this.retryAfterMs = asked === undefined ? undefined : Math.min(asked, longestRetryAfterMs)
  }
}

/** The request got no answer: refused, cut, timed out. Whether it took effect is not known. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

const withCode = (error: unknown, code: number) => error instanceof ApiError && error.code === code

export const isNotFound = (error: unknown): boolean => withCode(error, 404)
export const isForbidden = (error: unknown): boolean => withCode(error, 403)
export const isInvalid = (error: unknown): boolean => withCode(error, 422)
/** Both a stale resourceVersion and an apply conflict; see {@link isAlreadyExists} for the other 409. */
export const isConflict = (error: unknown): boolean => withCode(error, 409) && !isAlreadyExists(error)
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 409 && error.reason === 'AlreadyExists'
/** The resourceVersion or continue token is older than what the server keeps: list again. */
export const isExpired = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone')

/**
 * The server is behind the resourceVersion asked for, as after a restore from a backup.
 * Source: apimachinery `NewTimeoutError` with cause `ResourceVersionTooLarge`.
 */
export const isResourceVersionTooLarge = (error: unknown): boolean =>
  error instanceof ApiError &&
  ((error.status.details?.causes ?? []).some((cause) => cause.reason === 'ResourceVersionTooLarge') ||
    /Too large resource version/.test(error.message))

/** What the server asked to wait, if it did. */
export const retryAfterOf = (error: unknown): number | undefined =>
  error instanceof ApiError ? error.retryAfterMs : undefined
