import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const written = (path: string, flags: 'r' | 'w', work: (fd: number) => void) => {
  const fd = openSync(path, flags, 0o600)
  try {
    work(fd)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Replaces a small file as a whole, readable by its owner alone, and waits for the disk: whoever reads it, also after
 * a crash, sees the old content or the new one and nothing between.
 */
export const replaceFile = (path: string, content: Buffer | string): void => {
  const next = `${path}.next`
  written(next, 'w', (fd) => writeFileSync(fd, content))
  renameSync(next, path)
  // The name is the folder's.
  written(dirname(path), 'r', () => {})
}

/** The text of a file, undefined when there is none. */
export const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
