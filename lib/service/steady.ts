/**
 * Milliseconds since the epoch by a clock that begins with the time of `now` and then only ever goes forward, whatever
 * is done to the system's clock: what happens within a stretch of time is counted by it. It stands still while the
 * machine sleeps, which makes such a stretch longer, never shorter.
 *
 * @param tick milliseconds of a monotonic clock
 */
export const createSteadyClock = (now: () => number, tick: () => number = () => performance.now()): (() => number) => {
  const offset = now() - tick()
  return () => offset + tick()
}
