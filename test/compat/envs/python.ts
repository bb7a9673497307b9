import { join } from 'node:path'
import { CannotSetUp } from '../../../tools/cluster/cluster.ts'
import { run } from '../../../tools/cluster/exec.ts'
import type { Progress } from '../../../tools/progress.ts'
import type { Command } from './command.ts'
import { ensureMade } from './made.ts'

const clients = join(import.meta.dirname, '../clients')

const isUsable = async (python: string): Promise<boolean> => {
  const check = 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))'
  return run(python, ['-c', check], { allowFailure: true }).then(
    ({ code }) => code === 0,
    () => false,
  )
}

/** The folder of a virtual environment with what `clients/python/<pins>.txt` pins by hash. */
export const ensureVenv = (pins: string, progress: Progress): Promise<string> => {
  const requirements = join(clients, 'python', `${pins}.txt`)
  return ensureMade(
    {
      name: `python-${pins}`,
      files: [requirements],
      title: `Installing Python clients (${pins})`,
      seconds: 60,
      make: async (dir) => {
        if (!(await isUsable('python3')))
          throw new CannotSetUp(
            'python3 is not 3.11 or newer, or cannot make virtual environments: install python3-venv.',
          )
        await run('python3', ['-m', 'venv', dir])
        const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps']
        const only = ['--require-hashes', '--only-binary', ':all:', '--requirement', requirements]
        await run('nice', [join(dir, 'bin', 'python'), ...pip, ...only])
      },
    },
    progress,
  )
}

/** A script of `clients/python` in that environment. */
export const pythonClient =
  (pins: string, script: string) =>
  async (progress: Progress): Promise<Command> => ({
    program: join(await ensureVenv(pins, progress), 'bin', 'python'),
    args: ['-B', join(clients, 'python', script)],
  })
