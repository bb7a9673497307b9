import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Tally, tallyOf } from './tally.ts'

/** Tests start some hundred processes of ours, each of which would read the same sources again. */
const NODE_COMPILE_CACHE = join(import.meta.dirname, '../../node_modules/.cache/node')

/** Runs vitest with one of the configs, its output on ours, and counts. */
export const runVitest = async (stage: string, args: string[], env: Record<string, string> = {}): Promise<Tally> => {
  const dir = mkdtempSync(join(tmpdir(), 'remit-vitest-'))
  const file = join(dir, 'report.json')
  try {
    const code = await new Promise<number>((resolve) => {
      const child = spawn(
        // It ends with us, also when we are killed.
        'setpriv',
        [
          ...['--pdeathsig', 'TERM', '--', process.execPath],
          'node_modules/vitest/vitest.mjs',
          'run',
          '--reporter=default',
          '--reporter=json',
          `--outputFile.json=${file}`,
          ...args,
        ],
        { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, NODE_COMPILE_CACHE, ...env } },
      )
      child.on('error', () => resolve(1))
      child.on('exit', (status) => resolve(status ?? 1))
    })
    return tallyOf(stage, readReport(file), code)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const readReport = (file: string) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
