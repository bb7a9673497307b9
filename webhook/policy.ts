import type { OwnerGroupSpec, PolicySpec } from '../lib/api/gen/types.ts'
import { checkOwnerGroup } from '../lib/core/owner-check.ts'
import { checkPolicy } from '../lib/core/policy-check.ts'
import { onCall } from '../lib/core/rotate.ts'
import { causeOf, type Review, refuse, type Verdict, verdictOf } from './review.ts'

/** Everything in the policy that this version cannot enforce to the letter, all at once. */
export const validatePolicy = (review: Review): Verdict => {
  const scope = review.kind.kind === 'ClusterAgentPolicy' ? 'Cluster' : 'Namespace'
  return verdictOf(checkPolicy(review.object.spec as PolicySpec, scope).map(causeOf))
}

/** Mistakes in the group, and a group in which nobody answers now. */
export const validateOwnerGroup = (review: Review, now: number): Verdict => {
  const spec = review.object.spec as OwnerGroupSpec
  const causes = checkOwnerGroup(spec).map(causeOf)
  if (causes.length) return verdictOf(causes)
  const names = onCall(spec, now)?.names ?? []
  return names.length ? verdictOf([]) : refuse('spec.onCall', spec.onCall, 'NobodyOnCall', { name: review.name })
}
