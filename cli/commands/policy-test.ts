import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import { outputFlag } from '../flags.ts'
import { type CallsFlags, readSession } from '../policy/input.ts'
import { decideLines, exitCodeOf, newTrack } from '../policy/session.ts'
import { decidedJson, renderDecided } from '../render/decided.ts'

/** The options of commands that decide calls of a file. */
export const callsFlags = (command: Command): Command =>
  outputFlag(
    command
      .usage('--policy FILE... [--tools TOOLS.json] [-o json] CALLS.jsonl')
      .argument(
        '[calls]',
        'JSON Lines of {server, tool, arguments, at?, outcome?, objects?}, {server, resource}, {server, prompt, arguments} or {server, request, params, answer?}; - is standard input',
      )
      .requiredOption('--policy <file...>', 'AgentPolicy and ClusterAgentPolicy YAML, an OwnerGroup among it')
      .option('--tools <file>', 'JSON of {SERVER: tools/list result}: pins, schemas and annotations are then checked'),
  )

export const policyTestCommand = (policy: Command, context: CliContext): void => {
  const command = policy
    .command('test')
    .description('what policies say to calls, one after the other; exits 0 allowed, 3 waiting, 4 denied')
  callsFlags(command).action(async (path: string | undefined, flags: CallsFlags & { output?: string }) => {
    const { candidate, calls, tools } = await readSession(context, path, flags)
    const decided = [...decideLines(newTrack(candidate.remit), calls, { tools, start: context.now() })]
    if (flags.output === 'json') for (const one of decided) context.out(JSON.stringify(decidedJson(one)))
    else context.out(renderDecided(decided))
    process.exitCode = exitCodeOf(decided.map(({ decision }) => decision))
  })
}
