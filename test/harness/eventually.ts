/**
 * Tries until `check` neither throws nor returns false or undefined, and gives what it returned.
 * @throws the last error, after `timeoutMs` (10 s unless told).
 */
export const eventually = async <T>(
  check: () => T | Promise<T>,
  {
    timeoutMs = 10_000,
    everyMs = 50,
    what = 'condition',
  }: { timeoutMs?: number; everyMs?: number; what?: string } = {},
): Promise<Exclude<T, false | undefined>> => {
  const end = Date.now() + timeoutMs
  let last: unknown
  do {
    try {
      const value = await check()
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>
      last = undefined
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  } while (Date.now() < end)
  throw last ?? new Error(`${what}: not so after ${timeoutMs} ms`)
}
