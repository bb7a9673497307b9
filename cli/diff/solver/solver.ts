import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../../lib/core/errors.ts'

/** What diff needs of an SMT solver. */
export interface Solver {
  /** The answers to an SMT-LIB 2 script; undefined when there was none in `ms` milliseconds or the solver fell over. */
  ask: (script: string, ms: number) => Promise<string | undefined>
  close: () => void
}

/** z3 in a process of its own, begun anew after each run that had to be ended. @throws UserError when it is not there. */
export function openSolver(): Solver {
  const { program, z3 } = locate()
  let child: ChildProcess | undefined
  const end = (): void => {
    child?.kill('SIGKILL')
    child = undefined
  }
  const running = (): ChildProcess => {
    child ??= fork(program, [z3], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    return child
  }
  return {
    ask: (script, ms) =>
      new Promise((resolve) => {
        const process = running()
        const done = (answer: string | undefined): void => {
          clearTimeout(timer)
          process.removeAllListeners()
          if (answer === undefined) end()
          resolve(answer)
        }
        const timer = setTimeout(() => done(undefined), ms)
        process.once('message', (message) => done((message as { answer: string }).answer))
        process.once('exit', () => done(undefined))
        process.once('error', () => done(undefined))
        process.send({ script }, (error) => error && done(undefined))
      }),
    close: end,
  }
}

/** Beside the bundle in `z3/`; in the source tree from the package. */
function locate(): { program: string; z3: string } {
  const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
  const shipped = { program: at('z3/solver.cjs'), z3: at('z3/z3-built.js') }
  if (existsSync(shipped.program)) return shipped
  const source = at('child.ts')
  if (existsSync(source)) {
    return { program: source, z3: createRequire(import.meta.url).resolve('z3-solver/build/z3-built.js') }
  }
  throw new UserError('BadUsage', {
    detail: `the solver is not there: ${shipped.program} is missing; keep the folder z3 of the distribution beside kubectl-remit`,
  })
}
