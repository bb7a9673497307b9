import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { startTelemetry } from '../../../lib/service/telemetry.ts'
import { createAuthority } from '../../harness/pki.ts'

const NAME = 'remit-ledger.remit-system.svc'

test('telemetry goes on when the ledger shows a certificate of the next authority', async () => {
  const [first, next] = [await createAuthority('first'), await createAuthority('next')]
  const pairOf = (authority: typeof first) => authority.issue(NAME, { names: [NAME] })
  let taken = 0
  const server = createServer(await pairOf(first), (request, response) => {
    request.resume()
    request.on('end', () => {
      taken++
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  let ca = first.cert
  const telemetry = startTelemetry({
    service: 'remit-test',
    version: '0',
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tls: { ca: () => ca, servername: NAME },
  })
  const trace = async () => {
    telemetry.tracer.startSpan('a').end()
    await telemetry.flush()
  }
  try {
    await trace()
    const before = taken
    expect(before).toBeGreaterThan(0)
    ca = `${first.cert}\n${next.cert}`
    server.setSecureContext(await pairOf(next))
    server.closeAllConnections()
    await trace()
    expect(taken).toBeGreaterThan(before)
    const after = taken
    // Who is not believed any more is not told anything.
    ca = first.cert
    server.closeAllConnections()
    await trace()
    expect(taken).toBe(after)
  } finally {
    server.closeAllConnections()
    server.close()
    await telemetry.shutdown()
  }
}, 60_000)
