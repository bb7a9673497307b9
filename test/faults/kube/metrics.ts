import type { KubeMetrics } from '../../../lib/kube/metrics.ts'
import type { Logger } from '../../../lib/kube/types.ts'

/** Counts what a runtime measures and keeps the first lines it logs as errors. */
export const keepAccount = () => {
  const lists: Record<string, number> = {}
  const errors: string[] = []
  let misses = 0
  let reconciled = 0
  const quiet = () => {}
  const log: Logger = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (fields, message) => {
      if (errors.length < 10) errors.push(`${message} ${JSON.stringify(fields)}`)
    },
  }
  const metrics: KubeMetrics = {
    listed: ({ reason }) => {
      lists[String(reason)] = (lists[String(reason)] ?? 0) + 1
    },
    watchEnded: quiet,
    missed: (count) => {
      misses += count
    },
    reconciled: () => {
      reconciled++
    },
    queued: quiet,
  }
  return {
    log,
    metrics,
    /** Whole lists, by why. */
    lists: () => lists,
    errors: () => errors,
    misses: () => misses,
    reconciled: () => reconciled,
  }
}
