import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256hex } from '../../lib/core/canonical.ts'
import { toolsConfig } from '../../tools/cluster/config.ts'
import { run } from '../../tools/cluster/exec.ts'
import { withLock } from '../../tools/cluster/lock.ts'

/**
 * The folder with the programs of a virtual environment that has what `python/<name>.txt` pins by hash; made once and
 * kept in the user's cache.
 */
export const ensurePrograms = async (name: 'current' | 'sqlite'): Promise<string> => {
  const requirements = fileURLToPath(new URL(`python/${name}.txt`, import.meta.url))
  const pins = sha256hex(readFileSync(requirements, 'utf8'))
  const dir = join(toolsConfig().cacheDir, `mcp-servers-${name}-${pins.slice(0, 12)}`)
  const stamp = join(dir, 'complete')
  await withLock(`${dir}.lock`, async () => {
    if (existsSync(stamp)) return
    rmSync(dir, { recursive: true, force: true })
    await run('python3', ['-m', 'venv', dir])
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps']
    await run(join(dir, 'bin/python'), [
      ...pip,
      '--require-hashes',
      '--only-binary',
      ':all:',
      '--requirement',
      requirements,
    ])
    writeFileSync(stamp, `${pins}\n`)
  })
  return join(dir, 'bin')
}
