import type { ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Receipt } from '../../lib/api/receipt.ts'
import type { SignedRemit } from '../../lib/api/remit.ts'
import { pastOf } from '../../lib/core/history/past.ts'
import { createAuthority } from '../harness/pki.ts'

export const LEDGER_NAME = 'remit-ledger.remit-system.svc'

/**
 * The ledger's side of the wire contract (lib/api/ledger.ts) over real TLS, small enough to be taken away in the middle
 * of a test. The ledger itself is tested with an API server in test/ledger, and with the sidecar in test/e2e.
 */
export const createLedger = async (token: () => string) => {
  const authority = await createAuthority('test-ca')
  const pair = await authority.issue(LEDGER_NAME, { names: [LEDGER_NAME] })
  const receipts: Receipt[] = []
  const otlp: { path: string; bytes: number }[] = []
  const histories: string[] = []
  const streams = new Set<ServerResponse>()
  let signed: SignedRemit | undefined
  let server: Server | undefined
  let port = 0
  const send = (stream: ServerResponse) => signed && stream.write(`event: remit\ndata: ${JSON.stringify(signed)}\n\n`)

  const start = async () => {
    const next = createServer({ cert: pair.cert, key: pair.key, minVersion: 'TLSv1.3' }, (request, response) => {
      if (request.headers.authorization !== `Bearer ${token()}`) {
        response.writeHead(401).end('{"error":{"code":"Unauthenticated","message":"no"}}')
        return
      }
      if (request.url === '/v1/remit') {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        streams.add(response)
        response.on('close', () => streams.delete(response))
        send(response)
        return
      }
      if (request.url?.startsWith('/v1/history?since=')) {
        histories.push(request.url)
        const since = Date.parse(decodeURIComponent(request.url.split('=')[1] ?? ''))
        const all = receipts.flatMap((receipt) => pastOf(receipt) ?? [])
        const freeze = all.findLast(({ kind, at }) => kind === 'frozen' && at <= since)
        const told = [...(freeze ? [freeze] : []), ...all.filter(({ at }) => at > since)]
        response.writeHead(200, { 'content-type': 'application/x-ndjson' })
        response.end(told.map((past) => `${JSON.stringify(past)}\n`).join(''))
        return
      }
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks)
        if (request.url !== '/v1/receipts') {
          otlp.push({ path: request.url ?? '', bytes: body.length })
          response.writeHead(200).end('{}')
          return
        }
        const batch = body
          .toString('utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Receipt)
        const { incarnation } = batch[0]!.envelope
        const known = receipts.filter(({ envelope }) => envelope.incarnation === incarnation).length
        if (batch[0]!.envelope.seq > known) {
          response
            .writeHead(409)
            .end(JSON.stringify({ error: { code: 'ReceiptGap', message: 'gap', expectedSeq: known } }))
          return
        }
        receipts.push(...batch.filter(({ envelope }) => envelope.seq >= known))
        response.writeHead(200).end(JSON.stringify({ incarnation, seq: batch.at(-1)!.envelope.seq }))
      })
    })
    await new Promise<void>((resolve) => next.listen(port, '127.0.0.1', resolve))
    port = (next.address() as AddressInfo).port
    server = next
  }
  const stop = () =>
    new Promise<void>((resolve) => {
      if (!server) return resolve()
      server.close(() => resolve())
      server.closeAllConnections()
      server = undefined
    })
  await start()
  return {
    ca: authority.cert,
    url: () => `https://127.0.0.1:${port}`,
    receipts,
    histories,
    otlp,
    publish: (next: SignedRemit) => {
      signed = next
      for (const stream of streams) send(stream)
    },
    /** As if it had lost what came after the first `count`. */
    forget: (count: number) => void receipts.splice(count),
    start,
    stop,
  }
}
