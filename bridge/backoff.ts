const FIRST_DELAY_MS = 250
const MAX_DELAY_MS = 30_000
/** A process that lived this long started well. */
const STEADY_MS = 10_000

/** What another start must wait after `failures` of them in a row, milliseconds. */
export const delayAfter = (failures: number): number =>
  failures === 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1))

/** How long starts of the server have to wait: after each failure longer. */
export interface Backoff {
  /** A process that was started then ended, or did not answer its greeting. */
  failed: (startedAt: number) => void
  /** Milliseconds until the next start; none when not above zero. */
  remaining: () => number
}

export const createBackoff = (now: () => number): Backoff => {
  let failures = 0
  let nextStartAt = 0
  return {
    failed: (startedAt) => {
      failures = now() - startedAt >= STEADY_MS ? 1 : failures + 1
      nextStartAt = now() + delayAfter(failures)
    },
    remaining: () => nextStartAt - now(),
  }
}
