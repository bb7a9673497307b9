import type { Problem } from '../../lib/core/problem.ts'

/** Policies that are refused, with everything that is wrong with them. */
export class RefusedPolicies extends Error {
  readonly problems: Problem[]
  constructor(problems: Problem[]) {
    super('the policies are refused')
    this.problems = problems
  }
}
