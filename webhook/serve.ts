import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Express } from 'express'
import type { Logger } from '../lib/service/log.ts'
import { tlsFromFiles } from '../lib/service/tls.ts'

/** HTTPS on `host:port` with the certificate in `tlsDir` (tls.crt, tls.key), followed while serving. */
export const serveTLS = async (app: Express, options: { host: string; port: number; tlsDir: string }, log: Logger) => {
  const tls = tlsFromFiles({ cert: join(options.tlsDir, 'tls.crt'), key: join(options.tlsDir, 'tls.key') }, log)
  // The API server keeps its connections for long and reuses them; a short keep-alive would race with it.
  const server = createServer({ ...tls.options, keepAliveTimeout: 120_000, requestTimeout: 15_000 }, app)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  tls.watch(server)
  return {
    port: (server.address() as AddressInfo).port,
    /** Takes no new connections, lets running reviews end. */
    close: () =>
      new Promise<void>((resolve) => {
        tls.close()
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}
