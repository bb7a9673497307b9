import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { policyDiffCommand } from './policy-diff.ts'
import { policyExplainCommand } from './policy-explain.ts'
import { policyLintCommand } from './policy-lint.ts'
import { policyPinCommand } from './policy-pin.ts'
import { policyReplayCommand } from './policy-replay.ts'
import { policySuggestCommand } from './policy-suggest.ts'
import { policyTestCommand } from './policy-test.ts'

export const policyCommand = (program: Command, context: CliContext): void => {
  const policy = program.command('policy').description('know what a policy does, before and after')
  for (const register of [
    policyTestCommand,
    policyExplainCommand,
    policyLintCommand,
    policyReplayCommand,
    policyDiffCommand,
    policyPinCommand,
    policySuggestCommand,
  ])
    register(policy, context)
}
