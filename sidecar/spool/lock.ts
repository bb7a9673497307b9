import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../lib/core/errors.ts'

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A process's start in clock ticks since boot: tells a recycled process id from the process that took the lock. */
const startedAt = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/**
 * Two gates on one spool would take each other's calls for orphans. Throws UserError(BadUsage) while another living
 * process holds the directory; a lock left by a killed one is taken over. Returns the release.
 */
export const lockDirectory = (dir: string): (() => void) => {
  const path = join(dir, 'lock')
  const mine = `${process.pid} ${startedAt(process.pid)}`
  try {
    const [pid = '', since = ''] = readFileSync(path, 'utf8').split(' ')
    const other = Number(pid)
    if (other !== process.pid && alive(other) && startedAt(other) === since)
      throw new UserError('BadUsage', { detail: `${dir} is in use by process ${other}` })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  writeFileSync(path, mine, { mode: 0o600 })
  return () => rmSync(path, { force: true })
}
