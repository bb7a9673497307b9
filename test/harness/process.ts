import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

export interface ManagedProcess {
  readonly pid: number
  /** Resolves with the exit code, 128 + the signal's number when killed. */
  readonly exited: Promise<number>
  /** Signals the program itself. */
  signal(name: NodeJS.Signals): void
  /** SIGTERM, after `graceMs` (5 s unless told) SIGKILL; resolves when it is gone. */
  stop(graceMs?: number): Promise<void>
}

/**
 * Runs a program below a shell that holds our end of its standard input: when this process ends, in whatever way, the
 * pipe closes, the program is killed and `removeOnOrphan` deleted. `exit` handlers would not run on kill -9.
 */
const guard = `
exec 3<&0
removed=$1; shift
"$@" </dev/null 3<&- &
child=$!
echo "$child" >&4
exec 4>&-
( while read -r _; do :; done <&3; kill -9 "$child"; [ -z "$removed" ] || { sleep 0.2; rm -rf "$removed"; } ) 2>/dev/null &
watcher=$!
exec 3<&-
wait "$child"; code=$?
kill -9 "$watcher" 2>/dev/null
exit "$code"
`

export interface ProcessOptions {
  command: string
  args: string[]
  /** Standard output and error are appended here. */
  logFile: string
  removeOnOrphan?: string
  env?: NodeJS.ProcessEnv
}

export const startProcess = async (options: ProcessOptions): Promise<ManagedProcess> => {
  const shell = spawn(
    '/bin/sh',
    ['-c', guard, 'guard', options.removeOnOrphan ?? '', options.command, ...options.args],
    { stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'pipe'], env: { ...process.env, ...options.env } },
  )
  const log = createWriteStream(options.logFile, { flags: 'a' })
  shell.stdout?.pipe(log, { end: false })
  shell.stderr?.pipe(log, { end: false })
  const exited = new Promise<number>((resolve) => shell.once('exit', (code) => resolve(code ?? 137)))
  void exited.then(() => log.end())
  const pid = await new Promise<number>((resolve, reject) => {
    shell.once('error', reject)
    void exited.then((code) => reject(new Error(`${options.command} ended at once with ${code}`)))
    createInterface({ input: shell.stdio[4] as NodeJS.ReadableStream }).once('line', (line) => resolve(Number(line)))
  })
  let gone = false
  void exited.then(() => {
    gone = true
  })
  const signal = (name: NodeJS.Signals) => {
    // After its exit the number may be somebody else's.
    if (gone) return
    try {
      process.kill(pid, name)
    } catch (error) {
      // It has ended, and the shell around it has not yet.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  return {
    pid,
    exited,
    signal,
    stop: async (graceMs = 5_000) => {
      signal('SIGTERM')
      const late = setTimeout(() => signal('SIGKILL'), graceMs)
      await exited
      clearTimeout(late)
    },
  }
}
