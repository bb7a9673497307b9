import { spawn } from 'node:child_process'

/** How the demo speaks: prose, and real commands with their real output. */
export interface Show {
  say(text: string): void
  /** Runs a shell command line as a person would type it, prints it and what it printed, and returns that. */
  run(command: string, options?: { shown?: string; mayFail?: boolean }): Promise<string>
  /** Runs silently until the output matches. */
  until(command: string, pattern: RegExp, ms: number): Promise<string>
}

const capture = (command: string, env: NodeJS.ProcessEnv) =>
  new Promise<{ code: number; output: string }>((resolve) => {
    const child = spawn('bash', ['-c', command], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (chunk: Buffer) => {
      output += chunk
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })

export const createShow = (env: Record<string, string>, write: (text: string) => void): Show => {
  const full = { ...process.env, ...env }
  return {
    say: (text) => write(`\n${text}\n`),
    run: async (command, { shown = command, mayFail = false } = {}) => {
      write(`\n  $ ${shown}\n`)
      const { code, output } = await capture(command, full)
      write(output.replace(/^/gm, '  ').trimEnd().concat('\n'))
      if (code !== 0 && !mayFail) throw new Error(`"${shown}" ended with ${code}`)
      return output
    },
    until: async (command, pattern, ms) => {
      const end = Date.now() + ms
      for (;;) {
        const { output } = await capture(command, full)
        if (pattern.test(output)) return output
        if (Date.now() > end)
          throw new Error(`"${command}" did not show ${pattern} within ${ms / 1000} s; it showed:\n${output}`)
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    },
  }
}
