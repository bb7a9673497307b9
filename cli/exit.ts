import { CommanderError } from 'commander'
import { UserError } from '../lib/core/errors.ts'
import { ApiError, ConnectionError } from '../lib/kube/errors.ts'
import { RefusedPolicies } from './policy/refused.ts'
import { renderProblems } from './render/problems.ts'

/** What the exit code tells a script; `docs/cli.md` lists them. */
export const EXIT = { ok: 0, problems: 1, usage: 2, notFound: 3, forbidden: 4, unreachable: 5, bug: 70 } as const

/** The exit code and the lines a person reads for whatever a command threw. */
export const explain = (error: unknown): { code: number; lines: string[] } => {
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? EXIT.ok : EXIT.usage, lines: [] }
  if (error instanceof UserError) {
    const code = {
      NotFound: EXIT.notFound,
      NothingRecorded: EXIT.notFound,
      Forbidden: EXIT.forbidden,
      ClusterUnreachable: EXIT.unreachable,
      LedgerUnavailable: EXIT.unreachable,
      UpstreamUnreachable: EXIT.unreachable,
      UpstreamTimeout: EXIT.unreachable,
      BadUsage: EXIT.usage,
    }[error.code as string]
    return { code: code ?? EXIT.problems, lines: [error.message, error.remedy] }
  }
  if (error instanceof RefusedPolicies) return { code: EXIT.problems, lines: renderProblems(error.problems) }
  if (error instanceof ConnectionError) return explain(new UserError('ClusterUnreachable', { detail: error.message }))
  if (error instanceof ApiError) {
    if (error.code === 404)
      return explain(new UserError('NotFound', { what: error.message.replace(/ not found$/, '') }))
    if (error.code === 401 || error.code === 403) return explain(new UserError('Forbidden', { detail: error.message }))
    return { code: EXIT.problems, lines: [error.message] }
  }
  const { stack, message } = error as Error
  return { code: EXIT.bug, lines: ['This is a bug of ours; please report it with these lines:', stack ?? message] }
}
