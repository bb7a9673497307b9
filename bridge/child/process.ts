import { type ChildProcess, spawn } from 'node:child_process'
import type { Logger } from '../../lib/service/log.ts'
import { createLines, type LongLine } from './lines.ts'
import { createStderr } from './stderr.ts'

export interface ProcessLimits {
  /** Bytes of one message of the server. */
  messageBytes: number
  /** Lines that are read from the server a second; beyond them it waits in its own write. */
  messagesPerSecond: number
  /** Lines of standard error passed on to the log a second. */
  stderrPerSecond: number
  /** Between one step of an orderly end and the next, milliseconds. */
  graceMs: number
}

export interface ProcessOptions {
  command: string
  args: string[]
  env: Record<string, string | undefined>
  limits: ProcessLimits
  log: Logger
  now: () => number
  onLine: (line: string) => void
  onLong: (line: LongLine) => void
  /** Once; what ended it, as a phrase. */
  onEnd: (reason: string) => void
}

export interface Running {
  pid: number | undefined
  /** Writes one line; false when the server reads so slowly that no more is held for it. */
  write: (line: string) => boolean
  /** Ends it: closes its standard input, then SIGTERM, then SIGKILL. Resolves when it is gone. */
  stop: () => Promise<void>
}

const DRAIN_MS = 500

const words: Record<string, string> = {
  ENOENT: 'there is no such program',
  EACCES: 'it may not be executed',
  ENOEXEC: 'it is not a program of this machine',
}

const signalGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Starts the server in a process group of its own, so that what it starts ends with it. */
export const startProcess = (options: ProcessOptions): Running => {
  const { limits, log } = options
  const child: ChildProcess = spawn(options.command, options.args, {
    env: options.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const { pid } = child
  const stderr = createStderr({ log: log.child({ pid }), perSecond: limits.stderrPerSecond, now: options.now })
  let read = 0
  let windowFrom = options.now()
  const lines = createLines({
    maxBytes: limits.messageBytes,
    onLine: (line) => {
      read++
      options.onLine(line)
    },
    onLong: (line) => {
      read++
      options.onLong(line)
    },
  })
  let resume: NodeJS.Timeout | undefined
  const slowDown = () => {
    const elapsed = options.now() - windowFrom
    if (elapsed >= 1_000) {
      windowFrom = options.now()
      read = 0
    } else if (read > limits.messagesPerSecond && !resume) {
      child.stdout!.pause()
      log.warn({ pid, perSecond: limits.messagesPerSecond }, 'the server sends too many messages, so it has to wait')
      resume = setTimeout(() => {
        resume = undefined
        windowFrom = options.now()
        read = 0
        child.stdout!.resume()
      }, 1_000 - Math.max(0, elapsed))
    }
  }
  child.stdout!.on('data', (chunk: Buffer) => {
    lines.feed(chunk)
    slowDown()
  })
  child.stderr!.on('data', stderr.feed)
  // A server that closes its input makes writes fail; that it is gone is told by its end.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream!.on('error', () => {})

  let ended = false
  let gone = () => {}
  const whenGone = new Promise<void>((resolve) => {
    gone = resolve
  })
  const end = (reason: string) => {
    if (ended) return
    ended = true
    clearTimeout(resume)
    stderr.end()
    // What it started and left behind.
    if (pid !== undefined) signalGroup(pid, 'SIGKILL')
    child.stdout?.destroy()
    child.stderr?.destroy()
    gone()
    options.onEnd(reason)
  }
  child.once('error', (error: NodeJS.ErrnoException) => {
    if (pid === undefined)
      end(`it cannot be started: ${words[error.code ?? ''] ?? error.message} (${options.command.slice(0, 200)})`)
  })
  child.once('exit', (code, signal) => {
    const reason = signal ? `it was ended by ${signal}` : `it ended with exit code ${code}`
    child.stdout!.resume()
    // What it wrote last is still in the pipe; but what it started may hold the pipe open for ever.
    const timer = setTimeout(() => end(reason), DRAIN_MS)
    child.once('close', () => {
      clearTimeout(timer)
      end(reason)
    })
  })

  let stopping: Promise<void> | undefined
  const stop = async () => {
    if (ended || pid === undefined) return
    child.stdin!.end()
    const steps = [
      setTimeout(() => signalGroup(pid, 'SIGTERM'), limits.graceMs),
      setTimeout(() => signalGroup(pid, 'SIGKILL'), 2 * limits.graceMs),
    ]
    await whenGone
    for (const step of steps) clearTimeout(step)
  }
  return {
    pid,
    write: (line) => {
      if (ended || !child.stdin!.writable || child.stdin!.writableLength > 2 * limits.messageBytes) return false
      child.stdin!.write(`${line}\n`)
      return true
    },
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}
