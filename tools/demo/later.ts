import type { Progress } from '../progress.ts'

/**
 * A progress display that keeps quiet until `release`, so that it does not write into a story being told. What is
 * under way by then is shown from there on.
 */
export const laterProgress = (inner: Progress): Progress & { release(): void } => {
  let released = false
  let show: ((line: string) => void) | undefined
  const underWay: { title: string; seconds: number; running: Promise<unknown> }[] = []
  return {
    release: () => {
      released = true
      const [outermost] = underWay
      if (!outermost) return
      const joined = inner.step(outermost.title, outermost.seconds, (say) => {
        show = say
        return outermost.running
      })
      // Whoever waits for the step itself hears of its failure.
      joined.catch(() => {})
    },
    step: async (title, seconds, work) => {
      if (released && !underWay.length) return inner.step(title, seconds, work)
      show?.(title)
      const running = work((line) => show?.(`${title}: ${line}`))
      const entry = { title, seconds, running }
      underWay.push(entry)
      try {
        return await running
      } finally {
        underWay.splice(underWay.indexOf(entry), 1)
      }
    },
  }
}
