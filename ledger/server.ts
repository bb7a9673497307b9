import { constants } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { listen } from '../lib/service/listen.ts'
import type { Logger } from '../lib/service/log.ts'
import type { tlsFromFiles } from '../lib/service/tls.ts'

/** Watches last an hour: their ends are not waited for. */
const GRACE_MS = 3_000

/**
 * The one HTTPS listener. It asks every client for a certificate and lets those without one in: sidecars show tokens,
 * and only what the API server's proxy shows counts as its certificate. No session tickets, so that a certificate is
 * checked on each connection against the authority of now.
 */
export const startServer = async (options: {
  host: string
  port: number
  tls: ReturnType<typeof tlsFromFiles>
  listener: RequestListener
  log: Logger
}) => {
  const { tls } = options
  const server = createServer(
    {
      ...tls.options,
      requestCert: true,
      rejectUnauthorized: false,
      secureOptions: constants.SSL_OP_NO_TICKET,
      maxHeaderSize: 64 * 1024,
      requestTimeout: 60_000,
      headersTimeout: 15_000,
      keepAliveTimeout: 75_000,
    },
    options.listener,
  )
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  const { port, close } = await listen(server, { host: options.host, port: options.port, log: options.log })
  tls.watch({
    setSecureContext: (next) => server.setSecureContext({ ...next, secureOptions: constants.SSL_OP_NO_TICKET }),
  })
  return {
    port,
    close: () => {
      tls.close()
      return close(GRACE_MS)
    },
  }
}
