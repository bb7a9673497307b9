/**
 * The gate among faults, a process of its own. Arguments: its options as JSON, and a file that gets a line about what
 * the process holds whenever it is sent SIGUSR2.
 */
import { appendFileSync } from 'node:fs'
import { createLogger } from '../../../lib/service/log.ts'
import { startStandalone } from '../../../sidecar/standalone.ts'
import { heldMiB } from '../heap.ts'

/** What the process holds on to. */
export interface Holding {
  heldMiB: number
  sockets: number
  timers: number
}

const [options, holdings] = process.argv.slice(2) as [string, string]
const gate = await startStandalone({
  models: {},
  credentialFiles: {},
  owner: 'ana',
  ...JSON.parse(options),
  now: Date.now,
  log: createLogger({ part: 'gate', level: 'warn' }),
  say: console.log,
})
process.on('SIGUSR2', () => {
  const open = process.getActiveResourcesInfo()
  const count = (kind: RegExp) => open.filter((each) => kind.test(each)).length
  const holding: Holding = { heldMiB: heldMiB(), sockets: count(/^TCPSocket/), timers: count(/^Timeout/) }
  appendFileSync(holdings, `${JSON.stringify(holding)}\n`)
})
process.on('SIGTERM', () => gate.close().then(() => process.exit(0)))
