import { spawn } from 'node:child_process'

/** What a finished command left behind. */
export type Output = { code: number; stdout: string; stderr: string }

/** Options of `run`; `env` is added to ours, `onLine` sees every line of stdout and stderr as it comes. */
export type RunOptions = {
  cwd?: string
  env?: Record<string, string>
  input?: string
  timeoutMs?: number
  /** Return a non-zero exit instead of throwing. */
  allowFailure?: boolean
  onLine?: (line: string) => void
}

/** A command that ended badly; the message holds the command and the end of what it said. */
export class CommandFailed extends Error {
  readonly code: number
  readonly stderr: string
  constructor(command: string, code: number, said: string) {
    super(`${command} ended with ${code}:\n${said.trim().split('\n').slice(-15).join('\n')}`)
    this.name = 'CommandFailed'
    this.code = code
    this.stderr = said
  }
}

/**
 * Runs a command to its end and returns what it wrote. The child dies with us, also when we are killed
 * (`setpriv --pdeathsig`), so an interrupted build does not go on in the background.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    const lines = (chunk: string) => {
      if (!options.onLine) return
      for (const line of chunk.split('\n')) if (line.trim()) options.onLine(line.trimEnd())
    }
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
      lines(chunk)
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk
      lines(chunk)
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const ended = code ?? (signal ? 128 : 1)
      if (ended !== 0 && !options.allowFailure) {
        reject(new CommandFailed([command, ...args].join(' ').slice(0, 300), ended, stderr || stdout))
        return
      }
      resolve({ code: ended, stdout, stderr })
    })
    // A command that ends without reading its input is not an error of ours.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

/** Runs a command and returns its stdout without the final newline. */
export async function read(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return (await run(command, args, options)).stdout.trimEnd()
}
