import type { Logger } from '../lib/service/log.ts'
import { createLegacyBackend } from './backend/legacy.ts'
import { createModernBackend } from './backend/modern.ts'
import { startWatchdog } from './child/watchdog.ts'
import type { Settings } from './config.ts'
import type { FrontContext } from './front/context.ts'
import { createLegacyFront } from './front/legacy.ts'
import { createModernFront } from './front/modern.ts'
import { createGuard } from './http/guard.ts'
import { startHttp } from './http/server.ts'
import { createPool } from './pool.ts'

const GRACE_MS = 2_000
const PARK_MS = 600_000
const MAX_SESSIONS = 1_000

/** Starts server and endpoint; `port` is the one listened on. `program` is the bridge's own file, for its watchdog. */
export const startBridge = async (
  settings: Extract<Settings, { command: string }>,
  ports: { log: Logger; now: () => number; program?: string | undefined },
): Promise<{ port: number; close: () => Promise<void> }> => {
  const { log, now } = ports
  const messageBytes = settings.maxMessageBytes
  const startMs = settings.startTimeout * 1_000
  const idleMs = settings.idleTimeout * 1_000
  const watchdog = startWatchdog(ports.program, log)
  const pool = createPool({
    command: settings.command,
    args: settings.args,
    env: settings.env,
    limits: {
      messageBytes,
      messagesPerSecond: settings.maxMessagesPerSecond,
      stderrPerSecond: settings.maxStderrPerSecond,
      graceMs: GRACE_MS,
      children: settings.maxChildren,
      idleMs,
      startMs,
    },
    watch: watchdog.watch,
    log,
    now,
  })
  const backends = {
    modern: createModernBackend(pool.prime),
    legacy: createLegacyBackend(pool, {
      shared: settings.shared,
      parkMs: PARK_MS,
      maxParked: settings.maxChildren,
    }),
  }
  const context: FrontContext = {
    pool,
    backends,
    shared: settings.shared,
    limits: {
      messageBytes,
      callMs: settings.callTimeout * 1_000,
      idleMs,
      startMs,
      sessions: MAX_SESSIONS,
      heldBytes: 2 * messageBytes,
    },
    log,
    now,
  }
  const modern = createModernFront(context)
  const legacy = createLegacyFront(context)
  const stop = async () => {
    modern.close()
    legacy.close()
    backends.legacy.parking.close()
    await pool.close()
    watchdog.close()
  }
  try {
    const http = await startHttp({
      host: settings.host,
      port: settings.port,
      path: settings.path,
      messageBytes,
      sessionsOnly: settings.sessionsOnly,
      guard: createGuard({
        hosts: settings.allowHost ?? [],
        origins: settings.allowOrigin ?? [],
        tokenFile: settings.tokenFile,
      }),
      status: pool.status,
      modern,
      legacy,
      log,
    })
    log.info({ host: settings.host, port: http.port, path: settings.path }, 'the bridge listens')
    return {
      port: http.port,
      close: async () => {
        await stop()
        await http.close()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}
