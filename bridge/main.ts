import { CommanderError } from 'commander'
import { createLogger } from '../lib/service/log.ts'
import { onShutdown } from '../lib/service/shutdown.ts'
import { guardGroups } from './child/watchdog.ts'
import { readSettings, type Settings } from './config.ts'
import { install } from './install.ts'
import { startBridge } from './serve.ts'

const program = process.argv[1]!

const run = async (settings: Settings): Promise<void> => {
  if ('watchdog' in settings) return guardGroups(process.stdin)
  if ('install' in settings) {
    for (const path of install({ dir: settings.install, program })) process.stdout.write(`${path}\n`)
    return
  }
  const log = createLogger({ part: 'bridge', level: settings.logLevel })
  const shutdown = onShutdown(log, { stepMs: 15_000 })
  const bridge = await startBridge(settings, { log, now: Date.now, program })
  shutdown.add('bridge', bridge.close)
}

Promise.resolve()
  .then(() => run(readSettings(process.argv.slice(2), process.env)))
  .catch((error: unknown) => {
    process.exitCode = 1
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
    else process.stderr.write(`${(error as Error).message}\n`)
  })
