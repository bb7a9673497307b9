import type { Figures } from './figures.ts'
import { lists, reconciles } from './metrics.ts'
import { quiet } from './quiet.ts'
import type { Run } from './run.ts'
import { byOperator, tally } from './tally.ts'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Starts an operator where all is as it should be, and lets it compare each of its caches with a full list. */
export const resync = async (run: Run, env: Record<string, string>): Promise<Figures['resync']> => {
  const { options, installation, writes, metrics, memory } = run
  metrics.forget()
  writes.take()
  const start = performance.now()
  const operator = await installation.startOperator({ ...env, REMIT_RELIST_SECONDS: String(options.relistSeconds) })
  memory.add('operator', operator.pid)
  await quiet(operator.pid, writes, options.quietMs)
  // A list comes at most a tenth later than asked for.
  await sleep(Math.max(0, options.relistSeconds * 1_100 + options.quietMs - (performance.now() - start)))
  const written = writes.take()
  await operator.stop()
  return {
    reconciles: reconciles(metrics.last(), 'agents').success ?? 0,
    lists: lists(metrics.last(), 'periodic'),
    writes: tally(byOperator(written)),
  }
}
