import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from '../../tools/build/bundles.ts'

/** The Node that npm was started with: 20 or newer, not the one of the tests. */
export const NODE = process.env.npm_node_execpath ?? process.execPath

export interface Ran {
  code: number
  stdout: string
  stderr: string
}
export interface Bundle {
  /** A directory of its own, also HOME of what runs. */
  dir: string
  file: string
  /** Runs the bundle in `dir`; `input` is its standard input. */
  remit: (args: string[], env?: Record<string, string>, input?: string) => Promise<Ran>
  /** Writes a file in `dir` and returns its path. */
  write: (name: string, text: string) => string
  close: () => void
}

/** The command line as people get it: one file, built anew. */
export const buildBundle = async (): Promise<Bundle> => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-cli-'))
  const [bundle] = await build(['kubectl-remit'], dir)
  const { file } = bundle as { file: string }
  return {
    dir,
    file,
    remit: (args, env = {}, input) =>
      new Promise((resolve) => {
        const child = execFile(
          NODE,
          [file, ...args],
          { cwd: dir, env: { PATH: process.env.PATH, HOME: dir, ...env }, maxBuffer: 16 * 1024 * 1024 },
          (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
        )
        child.stdin?.end(input ?? '')
      }),
    write: (name, text) => {
      const path = join(dir, name)
      writeFileSync(path, text)
      return path
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  }
}
