import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { EXIT } from '../exit.ts'
import { outputFlag } from '../flags.ts'
import { readInput } from '../policy/input.ts'
import { lintFiles } from '../policy/lint.ts'
import { readTools } from '../policy/tools.ts'
import { renderProblems } from '../render/problems.ts'

interface Flags {
  policy: string[]
  tools?: string
  strict?: true
  output?: string
}

export const policyLintCommand = (policy: Command, context: CliContext): void => {
  const command = policy
    .command('lint')
    .description('what is wrong with policies, and what they may say but are seldom meant to')
    .requiredOption('--policy <file...>', 'AgentPolicy and ClusterAgentPolicy YAML')
    .option('--tools <file>', 'JSON of {SERVER: tools/list result}: rules are then held against these tools')
    .option('--strict', 'exit 1 on warnings too')
  outputFlag(command).action(async (flags: Flags) => {
    const tools = flags.tools === undefined ? undefined : readTools(await readInput(flags.tools), flags.tools)
    const { policies, problems, warnings } = lintFiles(flags.policy, tools, context.now())
    if (flags.output === 'json') context.out(JSON.stringify({ problems, warnings }, null, 2))
    else {
      for (const problem of problems) context.out(renderProblems([problem], 'problem').join('\n'))
      for (const warning of warnings) context.out(renderProblems([warning], `warning ${warning.kind}`).join('\n'))
      if (problems.length + warnings.length === 0)
        context.out(`Nothing to say about ${policies === 1 ? 'this policy' : `these ${policies} policies`}.`)
    }
    if (problems.length > 0 || (flags.strict && warnings.length > 0)) process.exitCode = EXIT.problems
  })
}
