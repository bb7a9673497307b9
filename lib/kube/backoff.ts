export interface BackoffOptions {
  /** First delay in milliseconds. */
  baseMs: number
  /** Longest delay in milliseconds. */
  maxMs: number
  /** Part of the delay that is random, 0 to 1, so that many clients do not come back in step. */
  jitter?: number
}

/** Delay in milliseconds before try number `attempt` (0 is the first retry). `random` is in [0, 1). */
export const backoffDelay = (attempt: number, options: BackoffOptions, random: number): number => {
  const full = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 40))
  const jitter = options.jitter ?? 0
  return full * (1 - jitter) + full * jitter * random
}
