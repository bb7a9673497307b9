import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toolsConfig } from '../../../tools/cluster/config.ts'
import { withLock } from '../../../tools/cluster/lock.ts'
import type { Progress } from '../../../tools/progress.ts'

export interface Environment {
  /** Part of the folder's name in the cache. */
  name: string
  /** Their content decides: another content is another environment. */
  files: string[]
  title: string
  /** How long it usually takes. */
  seconds: number
  make: (dir: string) => Promise<void>
}

/**
 * The folder of an environment below the user's cache, made once for each content of its files, whole or not at all.
 */
export const ensureMade = async (environment: Environment, progress: Progress): Promise<string> => {
  const { name, files, title, seconds, make } = environment
  const hash = createHash('sha256').update(process.arch)
  for (const file of files) hash.update(readFileSync(file))
  const dir = join(toolsConfig().cacheDir, 'compat', `${name}-${hash.digest('hex').slice(0, 12)}`)
  const stamp = join(dir, 'complete')
  await withLock(`${dir}.lock`, async () => {
    if (existsSync(stamp)) return
    await progress.step(title, seconds, async () => {
      rmSync(dir, { recursive: true, force: true })
      mkdirSync(dir, { recursive: true })
      await make(dir)
      writeFileSync(stamp, '')
    })
  })
  return dir
}
