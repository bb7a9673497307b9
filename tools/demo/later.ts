import type { Progress } from '../progress.ts'

/** A progress display that keeps quiet until `release`, so that it does not write into a story being told. */
export const laterProgress = (inner: Progress): Progress & { release(): void } => {
  let released = false
  return {
    release: () => {
      released = true
    },
    step: (title, seconds, work) => (released ? inner.step(title, seconds, work) : work(() => {})),
  }
}
