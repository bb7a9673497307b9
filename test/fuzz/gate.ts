/**
 * The gate under fuzz, a process of its own. Arguments: its options as JSON, and a file for its longest turns.
 *
 * A hang is a turn of the event loop that takes long. Taken by the wall clock a busy machine would fake one whenever it
 * runs something else, so what counts is the CPU time that the main thread used between two runs of a timer: garbage
 * collection is in it, waiting for a processor is not. It can only be too long: several turns may fall between two runs.
 */
import { appendFileSync } from 'node:fs'
import { createLogger } from '../../lib/service/log.ts'
import { startStandalone } from '../../sidecar/standalone.ts'

const [options, turnsFile] = process.argv.slice(2) as [string, string]
const TOLD_MS = 25
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

const gate = await startStandalone({
  models: {},
  credentialFiles: {},
  owner: 'ana',
  ...JSON.parse(options),
  now: Date.now,
  log: createLogger({ part: 'gate', level: 'error' }),
  say: console.log,
})
let before = cpuMs()
setInterval(() => {
  const now = cpuMs()
  const took = now - before
  if (took > TOLD_MS) appendFileSync(turnsFile, `${JSON.stringify({ at: Date.now(), cpuMs: took })}\n`)
  before = took > TOLD_MS ? cpuMs() : now
}, 1)
process.on('SIGTERM', () => gate.close().then(() => process.exit(0)))
