import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Stamp } from '../../lib/api/gen/types.ts'
import { readIfThere, replaceFile } from '../../lib/service/files.ts'

const FILE = 'unfrozen.json'

/** Keeps in the directory that a person lifts whatever froze its agent before now. */
export const unfreeze = (dir: string, stamp: Stamp): void => {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  replaceFile(join(dir, FILE), JSON.stringify(stamp))
}

/** Who lifted a freeze of the directory's agent last, and when. */
export const lastUnfrozen = (dir: string): Stamp | undefined => {
  const saved = readIfThere(join(dir, FILE))
  return saved === undefined ? undefined : (JSON.parse(saved) as Stamp)
}
