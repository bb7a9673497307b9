import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256hex } from '../../lib/core/canonical.ts'
import { CannotSetUp } from '../../tools/cluster/cluster.ts'
import { toolsConfig } from '../../tools/cluster/config.ts'
import { run } from '../../tools/cluster/exec.ts'
import { withLock } from '../../tools/cluster/lock.ts'
import type { Progress } from '../../tools/progress.ts'

const REQUIREMENTS = fileURLToPath(new URL('suite/requirements.txt', import.meta.url))

const isUsable = async (python: string): Promise<boolean> => {
  const check = 'import ensurepip, sys; sys.exit(sys.version_info < (3, 10))'
  return run(python, ['-c', check], { allowFailure: true }).then(
    ({ code }) => code === 0,
    () => false,
  )
}

/**
 * The Python of a virtual environment with AgentDojo in it, pinned by hash; made once and kept in the user's cache.
 * Throws CannotSetUp when this machine has no Python that can.
 */
export const ensurePython = async (progress: Progress): Promise<string> => {
  const pins = sha256hex(readFileSync(REQUIREMENTS, 'utf8'))
  const dir = join(toolsConfig().cacheDir, `agentdojo-${pins.slice(0, 12)}`)
  const python = join(dir, 'bin', 'python')
  const stamp = join(dir, 'complete')
  await withLock(`${dir}.lock`, async () => {
    if (existsSync(stamp)) return
    if (!(await isUsable('python3')))
      throw new CannotSetUp('python3 is not 3.10 or newer, or cannot make virtual environments: install python3-venv.')
    await progress.step('Installing AgentDojo for Python', 20, async () => {
      rmSync(dir, { recursive: true, force: true })
      await run('python3', ['-m', 'venv', dir])
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps']
      await run(python, [...pip, '--require-hashes', '--only-binary', ':all:', '--requirement', REQUIREMENTS])
      writeFileSync(stamp, `${pins}\n`)
    })
  })
  return python
}
