import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Runs `work` while holding an exclusive lock on `file`, waiting for whoever holds it.
 * The kernel's flock(2) through util-linux: released however we end, so there is no stale lock to clean up.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  mkdirSync(dirname(file), { recursive: true })
  // `cat` ends when our end of the pipe closes, which the kernel does for us even after kill -9.
  // One that still waits for its turn is not reading, and is ended by the kernel as well.
  const holder = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', 'flock', file, 'sh', '-c', 'echo held; exec cat >/dev/null'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const waiting = setTimeout(() => onWait?.(), 500)
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve())
      holder.once('error', reject)
      holder.once('exit', (code) => reject(new Error(`flock ${file} ended with ${code}`)))
    })
    clearTimeout(waiting)
    return await work()
  } finally {
    clearTimeout(waiting)
    holder.stdin.end()
  }
}
