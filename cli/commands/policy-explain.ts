import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { explainLines } from '../policy/explain.ts'
import { type CallsFlags, readSession } from '../policy/input.ts'
import { explainedJson, renderExplained } from '../render/decided.ts'
import { callsFlags } from './policy-test.ts'

export const policyExplainCommand = (policy: Command, context: CliContext): void => {
  const command = policy
    .command('explain')
    .description('which rule decides each call, what the others say, and which would decide if it were gone')
  callsFlags(command).action(async (path: string | undefined, flags: CallsFlags & { output?: string }) => {
    const { candidate, calls, tools } = await readSession(context, path, flags)
    for (const explained of explainLines(candidate.remit, calls, { tools, start: context.now() }))
      context.out(
        flags.output === 'json' ? JSON.stringify(explainedJson(explained)) : `${renderExplained(explained)}\n`,
      )
  })
}
