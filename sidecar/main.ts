import { createLogger } from '../lib/service/log.ts'
import { onShutdown } from '../lib/service/shutdown.ts'
import { readSettings } from './config.ts'
import { startSidecar } from './pod.ts'

const settings = readSettings()
const log = createLogger({ part: 'sidecar', level: settings.logLevel })
const shutdown = onShutdown(log, { stepMs: 15_000 })
const sidecar = await startSidecar(settings, log, Date.now)
shutdown.add('sidecar', sidecar.close)
