import { readFileSync } from 'node:fs'
import { sha256hex } from '../../lib/core/canonical.ts'

const fingerprint = (paths: string[]): string =>
  sha256hex(
    paths
      .map((path) => {
        try {
          return `${path}\n${readFileSync(path, 'utf8')}`
        } catch {
          return `${path}\n`
        }
      })
      .join('\n'),
  )

/** Calls `changed` when the content of any of the files is another; looks every `pollMs`, because editors replace files. */
export const followFiles = (paths: string[], changed: () => void, pollMs = 300): { close: () => void } => {
  let last = fingerprint(paths)
  const timer = setInterval(() => {
    const next = fingerprint(paths)
    if (next === last) return
    last = next
    changed()
  }, pollMs)
  return { close: () => clearInterval(timer) }
}
