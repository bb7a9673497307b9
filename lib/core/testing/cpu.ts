/** Milliseconds of CPU that this thread has taken: what a test may bound, however many others want the machine. */
export const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
