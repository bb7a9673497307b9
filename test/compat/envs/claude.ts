import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../../tools/cluster/exec.ts'
import type { Progress } from '../../../tools/progress.ts'
import type { Command } from './command.ts'
import { ensureMade } from './made.ts'

const clients = join(import.meta.dirname, '../clients')
const FILES = ['package.json', 'package-lock.json']

/** Claude Code as its lock file pins it; 380 MB, so not among what everybody installs. */
export const claudeClient = async (progress: Progress): Promise<Command> => {
  const dir = await ensureMade(
    {
      name: 'claude',
      files: FILES.map((file) => join(clients, 'claude', file)),
      title: 'Installing Claude Code',
      seconds: 45,
      make: async (target) => {
        for (const file of FILES) copyFileSync(join(clients, 'claude', file), join(target, file))
        await run('nice', ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
          cwd: target,
        })
      },
    },
    progress,
  )
  return {
    program: process.execPath,
    args: [join(clients, 'claude.ts')],
    env: { CLAUDE: join(dir, `node_modules/@anthropic-ai/claude-code-linux-${process.arch}/claude`) },
  }
}
