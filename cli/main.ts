import tab from '@bomb.sh/tab/commander'
import { Command } from 'commander'
import { doctorCommand } from './commands/doctor.ts'
import { gateCommand } from './commands/gate.ts'
import { oncallCommand } from './commands/oncall.ts'
import { policyCommand } from './commands/policy.ts'
import { timelineCommand } from './commands/timeline.ts'
import { unfreezeCommand } from './commands/unfreeze.ts'
import { whyCommand } from './commands/why.ts'
import { readCliConfig } from './config.ts'
import type { CliContext } from './context.ts'
import { explain } from './exit.ts'

const context: CliContext = {
  config: readCliConfig(process.env),
  now: Date.now,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
}

const program = new Command('kubectl-remit')
  .description('the remit of every cloud agent: who it is, what it may do, who answers for it, what it did')
  .showHelpAfterError('(see --help)')
  .exitOverride()
for (const register of [
  gateCommand,
  timelineCommand,
  whyCommand,
  oncallCommand,
  policyCommand,
  unfreezeCommand,
  doctorCommand,
])
  register(program, context)
tab(program)

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe has seen enough, as with `| head`.
  if (error.code === 'EPIPE') process.exit(0)
})
program.parseAsync().catch((error) => {
  const { code, lines } = explain(error)
  for (const line of lines) context.err(line)
  process.exitCode = code
})
