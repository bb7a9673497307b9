import { spawn } from 'node:child_process'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Logger } from '../../lib/service/log.ts'

const TERM_MS = 2_000

const signal = (group: number, name: NodeJS.Signals): void => {
  try {
    process.kill(-group, name)
  } catch {
    // It is gone, which is what was wanted.
  }
}

/**
 * The watchdog's own program: is told on `input` of process groups that begin (`+123`) and end (`-123`), and ends all
 * that are left when `input` ends, because then the bridge has ended without doing so.
 */
export const guardGroups = (input: Readable): void => {
  const groups = new Set<number>()
  // Whoever ends the bridge by signals to its group ends it in order; that must not end the watchdog first.
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => {})
  let rest = ''
  input.setEncoding('utf8')
  input.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const group = Number(line.slice(1))
      if (!Number.isSafeInteger(group) || group < 2) continue
      if (line.startsWith('+')) groups.add(group)
      else groups.delete(group)
    }
  })
  input.once('close', () => {
    for (const group of groups) signal(group, 'SIGTERM')
    if (groups.size > 0)
      setTimeout(() => {
        for (const group of groups) signal(group, 'SIGKILL')
        process.exit(0)
      }, TERM_MS)
    else process.exit(0)
  })
}

/** Told of every server process. */
export interface Watchdog {
  watch: (pid: number) => () => void
  close: () => void
}

/** How to start a Node like this one: as `install` lays it out, it is started by the loader that lies beside it. */
const nodeLikeThis = (): [string, ...string[]] => {
  const { execPath } = process
  if (!basename(execPath).startsWith('ld-')) return [execPath]
  const libraries = dirname(execPath)
  return [execPath, '--library-path', libraries, join(libraries, '..', 'node')]
}

/**
 * A second process that ends the servers when the bridge was ended by SIGKILL and they did not notice that their input
 * closed. As process 1 of a container the bridge needs none: with it ends everything. `program` is this program's file.
 */
export const startWatchdog = (program: string | undefined, log: Logger): Watchdog => {
  if (program === undefined || process.pid === 1) return { watch: () => () => {}, close: () => {} }
  const [node, ...args] = nodeLikeThis()
  const child = spawn(node, [...args, program, 'watchdog'], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.unref()
  child.stdin.on('error', () => {})
  let closing = false
  const lost = () => {
    if (!closing) log.warn({}, 'the watchdog is gone: if the bridge is killed, servers that do not notice outlive it')
  }
  child.once('error', lost)
  child.once('exit', lost)
  return {
    watch: (group) => {
      child.stdin.write(`+${group}\n`)
      return () => void child.stdin.write(`-${group}\n`)
    },
    close: () => {
      closing = true
      child.stdin.end()
    },
  }
}
