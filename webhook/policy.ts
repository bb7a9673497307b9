import type { OwnerGroupSpec, PolicySpec } from '../lib/api/gen/types.ts'
import { lint, type Warning } from '../lib/core/lint/lint.ts'
import { checkOwnerGroup } from '../lib/core/owner-check.ts'
import { onCall } from '../lib/core/rotate.ts'
import { allow, causeOf, type Review, refuse, type Verdict, verdictOf } from './review.ts'

/** Everything in the policy that cannot be enforced to the letter or can never apply, all at once; else what is seldom meant. */
export const validatePolicy = (review: Review): Verdict => {
  const scope = review.kind.kind === 'ClusterAgentPolicy' ? 'Cluster' : 'Namespace'
  const { problems, warnings } = lint(review.object.spec as PolicySpec, scope)
  return problems.length > 0 ? verdictOf(problems.map(causeOf)) : allow([], linesOf(warnings))
}

// The API server cuts warnings to 256 characters each once all of a response together have more than 4096.
const MAX_LINE = 256
const MAX_LINES = 15

/** Warnings as kubectl prints them after "Warning: ", one line each. */
const linesOf = (warnings: Warning[]): string[] => {
  const lines = warnings.map(({ kind, field, detail, fix }) => cut(`${field}: ${detail}. ${fix} (${kind})`))
  if (lines.length <= MAX_LINES) return lines
  const more = `and ${lines.length - MAX_LINES} more: kubectl remit policy lint shows all of them.`
  return [...lines.slice(0, MAX_LINES), more]
}

const cut = (line: string): string => {
  const points = Array.from(line)
  return points.length <= MAX_LINE ? line : `${points.slice(0, MAX_LINE - 1).join('')}…`
}

/** Mistakes in the group, and a group in which nobody answers now. */
export const validateOwnerGroup = (review: Review, now: number): Verdict => {
  const spec = review.object.spec as OwnerGroupSpec
  const causes = checkOwnerGroup(spec).map(causeOf)
  if (causes.length) return verdictOf(causes)
  const names = onCall(spec, now)?.names ?? []
  return names.length ? verdictOf([]) : refuse('spec.onCall', spec.onCall, 'NobodyOnCall', { name: review.name })
}
