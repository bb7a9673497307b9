import type { Logger } from './log.ts'

export interface Shutdown {
  /** Aborted as soon as the process is asked to end. */
  signal: AbortSignal
  /** Runs at the end, last added first. */
  add(name: string, fn: () => Promise<void> | void): void
  /** Ends by itself what a signal would end; resolves when all is done. */
  run(reason: string): Promise<void>
}

/**
 * One orderly end for every process: SIGTERM or SIGINT aborts `signal`, then runs what was added, last first, each
 * bounded by `stepMs`; a second signal ends at once. The process exits with 0, or 1 when a step failed.
 */
export const onShutdown = (
  log: Logger,
  options: { stepMs?: number; exit?: (code: number) => void; signals?: NodeJS.Signals[] } = {},
): Shutdown => {
  const { stepMs = 10_000, exit = (code) => process.exit(code), signals = ['SIGTERM', 'SIGINT'] } = options
  const controller = new AbortController()
  const steps: { name: string; fn: () => Promise<void> | void }[] = []
  let running: Promise<void> | undefined

  const step = async ({ name, fn }: (typeof steps)[number]): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not done within ${stepMs} ms`)), stepMs)
      })
      await Promise.race([Promise.resolve().then(fn), late])
      return true
    } catch (error) {
      log.error({ err: error, step: name }, 'shutdown step failed')
      return false
    } finally {
      clearTimeout(timer)
    }
  }

  const run = (reason: string) => {
    running ??= (async () => {
      log.info({ reason }, 'shutting down')
      controller.abort(new Error(reason))
      let clean = true
      for (const next of steps.reverse()) clean = (await step(next)) && clean
      exit(clean ? 0 : 1)
    })()
    return running
  }
  for (const signal of signals) process.on(signal, () => (running ? exit(1) : void run(signal)))
  return { signal: controller.signal, add: (name, fn) => void steps.push({ name, fn }), run }
}
