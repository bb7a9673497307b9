import { UserError } from '../../../lib/core/errors.ts'
import { UpstreamFailure } from '../../upstream.ts'
import { SessionGone } from '../forward.ts'

/** The failure of a way to a server; what is none of these is our own mistake, and thrown on. */
export const wayFailure = (error: unknown): UpstreamFailure | SessionGone | UserError => {
  if (error instanceof UpstreamFailure || error instanceof SessionGone || error instanceof UserError) return error
  throw error
}
