import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'

/** Files under way at a time: more than Node has threads for, so that none of them waits for us. */
const AT_ONCE = 16

const replaceUnsynced = async (path: string, text: string) => {
  const next = `${path}.next`
  const file = await open(next, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(next, path)
}

const syncFolder = async (dir: string) => {
  const folder = await open(dir, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * Replaces many small files of one folder, each as `replaceFile` of lib/service does, without holding up the process:
 * the disk is waited for once for all their names.
 * @returns those that could not be replaced, and why.
 */
export const replaceFiles = async (
  dir: string,
  files: readonly (readonly [name: string, text: string])[],
): Promise<{ name: string; error: unknown }[]> => {
  const failed: { name: string; error: unknown }[] = []
  const rest = files.values()
  const work = async () => {
    for (const [name, text] of rest) {
      await replaceUnsynced(join(dir, name), text).catch((error) => failed.push({ name, error }))
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, work))
  await syncFolder(dir).catch((error) => failed.push({ name: dir, error }))
  return failed
}
