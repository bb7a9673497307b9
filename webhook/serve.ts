import { createServer } from 'node:https'
import { join } from 'node:path'
import type { Express } from 'express'
import { listen } from '../lib/service/listen.ts'
import type { Logger } from '../lib/service/log.ts'
import { tlsFromFiles } from '../lib/service/tls.ts'

/** The API server waits 5 s for a review. */
const GRACE_MS = 6_000

/** HTTPS on `host:port` with the certificate in `tlsDir` (tls.crt, tls.key), followed while serving. */
export const serveTLS = async (app: Express, options: { host: string; port: number; tlsDir: string }, log: Logger) => {
  const tls = tlsFromFiles({ cert: join(options.tlsDir, 'tls.crt'), key: join(options.tlsDir, 'tls.key') }, log)
  // The API server keeps its connections for long and reuses them; a short keep-alive would race with it.
  const server = createServer({ ...tls.options, keepAliveTimeout: 120_000, requestTimeout: 15_000 }, app)
  const { port, close } = await listen(server, { host: options.host, port: options.port, log })
  tls.watch(server)
  return {
    port,
    close: () => {
      tls.close()
      return close(GRACE_MS)
    },
  }
}
