/** A gate in a process of its own, to be killed. Argument: the options as JSON. */
import { createLogger } from '../../lib/service/log.ts'
import { startStandalone } from '../../sidecar/standalone.ts'

const options = JSON.parse(process.argv[2] ?? '{}')
const gate = await startStandalone({
  models: {},
  credentialFiles: {},
  owner: 'ana',
  ...options,
  now: Date.now,
  log: createLogger({ part: 'gate', level: 'warn' }),
  say: console.log,
})
process.on('SIGTERM', () => gate.close().then(() => process.exit(0)))
