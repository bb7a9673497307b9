import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLedgerClient } from '../../../sidecar/ledger/client.ts'
import { createAuthority } from '../../harness/pki.ts'

const NAME = 'remit-ledger.remit-system.svc'
const BATCH = Buffer.from('{"envelope":{}}\n')
const never = new AbortController().signal

let dir: string
let ends: (() => unknown)[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'remit-client-'))
  writeFileSync(join(dir, 'token'), 'token')
})
afterEach(async () => {
  for (const end of ends.reverse()) await end()
  ends = []
  rmSync(dir, { recursive: true })
})

const clientOf = (port: number, ca: string, more = {}) => {
  const client = createLedgerClient({
    url: `https://127.0.0.1:${port}`,
    name: NAME,
    ca: () => ca,
    tokenFile: join(dir, 'token'),
    ...more,
  })
  ends.push(client.close)
  return client
}

/** Something that has the ledger's name and is not the ledger. */
const against = async (answer: (request: IncomingMessage, response: ServerResponse) => void, more = {}) => {
  const authority = await createAuthority('test')
  const { cert, key } = await authority.issue(NAME, { names: [NAME] })
  const server = createServer({ cert, key }, (request, response) => {
    request.resume()
    request.on('end', () => answer(request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return clientOf((server.address() as AddressInfo).port, authority.cert, more)
}

test.each(['{}', '{"status":"ok"}', '{"incarnation":"a","seq":"7"}', '{"seq":7}', 'null', '<html>Welcome</html>'])(
  'a 200 that says %s acknowledges nothing',
  async (body) => {
    const client = await against((_, response) => response.end(body))
    await expect(client.post(BATCH, never)).rejects.toThrow()
  },
)

test('an answer that comes a byte at a time is not waited for for ever', async () => {
  const client = await against(
    (_, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(drip))
    },
    { silenceMs: 500 },
  )
  await expect(client.post(BATCH, never)).rejects.toThrow()
  await expect(client.openRemits(AbortSignal.timeout(20_000))).resolves.toBeDefined()
}, 20_000)

test('telemetry that nobody takes does not keep receipts and remits waiting', async () => {
  const client = await against((request, response) => {
    if (request.url?.startsWith('/v1/otlp')) return
    response.end(JSON.stringify({ incarnation: 'a', seq: 0 }))
  })
  const over = new AbortController()
  const relays = Array.from({ length: 30 }, () => client.relay('traces', {}, BATCH, over.signal).catch(() => 0))
  await pause(200)
  expect(await Promise.race([client.post(BATCH, never), pause(3_000, 'waiting')])).toMatchObject({ kind: 'ack' })
  over.abort()
  await Promise.all(relays)
})

/** A port of a process that stands still and whose queue of connections is full: the kernel drops what comes. */
const deadPort = async (): Promise<number> => {
  const script = `require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
    console.log(this.address().port) })`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  ends.push(() => child.kill('SIGKILL'))
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (line) => resolve(Number(line))))
  child.kill('SIGSTOP')
  for (let open = true; open; ) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    ends.push(() => socket.destroy())
    open = await Promise.race([
      new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true))),
      pause(300, false),
    ])
  }
  return port
}

test('a ledger whose node is gone is given up as soon as one that is silent', async () => {
  const port = await deadPort()
  const client = clientOf(port, (await createAuthority('test')).cert, { silenceMs: 400, streamSilenceMs: 400 })
  const failure = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'it answered',
      (error) => error.message,
    )
  expect(await Promise.race([failure(client.post(BATCH, never)), pause(3_000, 'waiting')])).toContain('silent')
  expect(await Promise.race([failure(client.openRemits(never)), pause(3_000, 'waiting')])).toContain('silent')
}, 20_000)
