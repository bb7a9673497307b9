import type { Command } from 'commander'
import type { Remit } from '../../lib/api/remit.ts'
import type { CliContext } from '../context.ts'
import { compare } from '../diff/diff.ts'
import { loadRemit } from '../diff/load.ts'
import { differenceJson, renderDifference } from '../diff/render.ts'
import { openSolver } from '../diff/solver/solver.ts'
import { EXIT as GENERAL } from '../exit.ts'
import { durationValue, outputFlag } from '../flags.ts'
import { RefusedPolicies } from '../policy/refused.ts'
import { renderProblems } from '../render/problems.ts'

interface Flags {
  timeout: number
  output?: string
}

/** What the exit code says; docs/policy-diff.md has them. */
const EXIT = { 'no wider': 0, wider: 1, undecided: 3 } as const

export const policyDiffCommand = (policy: Command, context: CliContext): void => {
  const command = policy
    .command('diff')
    .description('which calls a change of policy newly allows, by proof; exits 0 no wider, 1 wider, 3 not decided')
    .argument('<old>', 'AgentPolicy and ClusterAgentPolicy YAML as it is; a comma joins several files of one side')
    .argument('<new>', 'the same as it would be')
    .option('--timeout <duration>', 'how long the solver may take for one answer', durationValue, 30_000)
  outputFlag(command).action(async (old: string, after: string, flags: Flags) => {
    const now = context.now()
    const sides = read(context, [old, after], now)
    if (sides === undefined) return
    const [before, candidate] = sides
    const solver = openSolver()
    try {
      const found = await compare(before, candidate, { solver, timeout: flags.timeout, now })
      context.out(flags.output === 'json' ? JSON.stringify(differenceJson(found), null, 2) : renderDifference(found))
      process.exitCode = EXIT[found.verdict]
    } finally {
      solver.close()
    }
  })
}

/** Both remits; undefined, with everything said, when a policy is refused: that must not look like "wider". */
function read(context: CliContext, sides: [string, string], now: number): [Remit, Remit] | undefined {
  try {
    return [loadRemit(sides[0].split(','), now), loadRemit(sides[1].split(','), now)]
  } catch (error) {
    if (!(error instanceof RefusedPolicies)) throw error
    for (const line of renderProblems(error.problems)) context.err(line)
    process.exitCode = GENERAL.usage
    return undefined
  }
}
