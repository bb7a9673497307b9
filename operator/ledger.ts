import { request } from 'node:https'

export interface LedgerAddress {
  url: string
  /** The name its certificate must have, whatever address it is dialled by. */
  servername: string
  /** PEM */
  ca: string
  token: string
  timeoutMs?: number
}

const MAX_BYTES = 64 * 1024 * 1024

/** GET over TLS; the JSON of an answer with status 200. Rejects with anything else. */
export const askLedger = (ledger: LedgerAddress, path: string, signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      `${ledger.url}${path}`,
      {
        ca: ledger.ca,
        servername: ledger.servername,
        headers: { authorization: `Bearer ${ledger.token}`, accept: 'application/json' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(ledger.timeoutMs ?? 10_000)]),
      },
      (answer) => {
        const chunks: Buffer[] = []
        let bytes = 0
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > MAX_BYTES) outgoing.destroy(new Error('the ledger answered more than 64 MiB'))
          else chunks.push(chunk)
        })
        answer.on('error', reject)
        answer.on('end', () => {
          if (answer.statusCode !== 200) return reject(new Error(`the ledger answered ${answer.statusCode}`))
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString()))
          } catch (error) {
            reject(error)
          }
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
