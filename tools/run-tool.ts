import { CannotSetUp } from './cluster/cluster.ts'
import { CommandFailed } from './cluster/exec.ts'

/**
 * Runs a command of ours to its end. What a person can mend is told in its own words (exit code 2, or 1 for a program
 * that failed); anything else is our bug and shows where.
 */
export const runTool = async (work: () => Promise<number | undefined>): Promise<void> => {
  try {
    process.exitCode = (await work()) ?? 0
  } catch (error) {
    const usage = String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')
    const known = usage || error instanceof CannotSetUp || error instanceof CommandFailed
    console.error(known ? (error as Error).message : error)
    process.exitCode = usage || error instanceof CannotSetUp ? 2 : 1
  }
}
