import { spawn } from 'node:child_process'

/** One static check and how it went; `output` is what the tool said, nothing when it is content. */
export interface CheckResult {
  name: string
  ok: boolean
  output: string
}

/** A check: a command run in the repository's root, or a function that lists what is wrong. */
export type Check = { name: string } & ({ command: [string, ...string[]] } | { find: () => string[] })

/** Runs checks one after the other, so that a machine of two cores stays usable. A command that is missing fails. */
export async function runAll(
  checks: readonly Check[],
  root: string,
  done: (result: CheckResult) => void = () => {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const check of checks) {
    const result = 'find' in check ? listed(check.name, check.find()) : await run(check.name, check.command, root)
    done(result)
    results.push(result)
  }
  return results
}

const listed = (name: string, problems: string[]): CheckResult => ({
  name,
  ok: problems.length === 0,
  output: problems.join('\n'),
})

function run(name: string, [program, ...args]: [string, ...string[]], root: string): Promise<CheckResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk
    })
    child.on('error', (error) => resolve({ name, ok: false, output: error.message }))
    child.on('close', (code) => resolve({ name, ok: code === 0, output: code === 0 ? '' : output.trim() }))
  })
}
