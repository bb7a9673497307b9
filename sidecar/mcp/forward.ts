import { HEADER } from '../../lib/api/mcp.ts'
import type { ErrorCode } from '../../lib/core/errors.ts'
import { UpstreamFailure } from '../upstream.ts'
import type { Session } from './sessions.ts'

export const sessionHeaders = (session: Session | undefined): Record<string, string> => ({
  ...(session ? { [HEADER.version]: session.version } : {}),
  ...(session?.upstream ? { [HEADER.session]: session.upstream } : {}),
})

/** What the agent is told of each failure on the way to a server. */
export const FAILURE_CODES = {
  unreachable: 'UpstreamUnreachable',
  timeout: 'UpstreamTimeout',
  invalid: 'UpstreamInvalid',
  cancelled: 'OutcomeUnknown',
} as const satisfies Record<UpstreamFailure['kind'], ErrorCode>

/** The server does not know the session any more. */
export class SessionGone extends Error {
  override name = 'SessionGone'
}

/** The server knows no sessions at all any more: it speaks 2026-07-28. Nothing came of what it refused so. */
export class OtherEra extends SessionGone {
  override name = 'OtherEra'
}

/** A bounded signal: aborted by the caller's, or with a timeout failure after `ms`. */
export const within = (
  ms: number,
  outer?: AbortSignal,
): { signal: AbortSignal; abort: (reason: unknown) => void; done: () => void } => {
  const controller = new AbortController()
  const onOuter = () => controller.abort(outer?.reason)
  outer?.addEventListener('abort', onOuter)
  if (outer?.aborted) onOuter()
  const timer = setTimeout(
    () => controller.abort(new UpstreamFailure('timeout', `no answer within ${ms / 1000} s`, true)),
    ms,
  )
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    done: () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', onOuter)
    },
  }
}
