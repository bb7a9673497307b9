import { readFileSync } from 'node:fs'
import type { SecureContextOptions, Server } from 'node:tls'
import { createSecureContext } from 'node:tls'
import type { Logger } from './log.ts'

export interface TLSFiles {
  cert: string
  key: string
  /** Bundle of authorities; only for who checks the other side. */
  ca?: string
}

/**
 * A serving certificate that follows its files. Polls their content (a Secret's mount swaps a symlink, which file
 * watchers miss) and gives a changed pair to the running server, whose open connections go on. A pair that does not
 * fit together is left alone until it does, because the two files may be seen half way.
 */
export const tlsFromFiles = (files: TLSFiles, log: Logger, pollMs = 500) => {
  const read = (): SecureContextOptions => ({
    cert: readFileSync(files.cert),
    key: readFileSync(files.key),
    ...(files.ca ? { ca: readFileSync(files.ca) } : {}),
  })
  const fingerprint = (o: SecureContextOptions) => `${o.cert}\n${o.key}\n${o.ca ?? ''}`
  let current = read()
  createSecureContext(current)
  const timers: NodeJS.Timeout[] = []
  const reload = (server: Pick<Server, 'setSecureContext'>) => {
    try {
      const next = read()
      if (fingerprint(next) === fingerprint(current)) return
      createSecureContext(next)
      server.setSecureContext({ minVersion: 'TLSv1.3', ...next })
      current = next
      log.info({ cert: files.cert }, 'certificate reloaded')
    } catch (error) {
      log.warn({ err: error, cert: files.cert }, 'certificate not reloaded')
    }
  }
  return {
    /** For https.createServer. */
    options: { minVersion: 'TLSv1.3' as const, ...current },
    /** Follows the files until `close`. */
    watch: (server: Pick<Server, 'setSecureContext'>) => {
      timers.push(setInterval(() => reload(server), pollMs).unref())
    },
    close: () => {
      for (const timer of timers) clearInterval(timer)
    },
  }
}
