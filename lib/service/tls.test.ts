import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLogger } from './log.ts'
import { tlsFromFiles } from './tls.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'remit-tls-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const issue = (name: string) => {
  const [key, cert] = [join(dir, 'tls.key'), join(dir, 'tls.crt')]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  )
  return { key, cert }
}
const servedName = (port: number) =>
  new Promise<string>((resolve, reject) => {
    const req = request({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false }, (response) => {
      resolve(String((response.socket as TLSSocket).getPeerCertificate().subject.CN))
      response.resume()
    })
    req.on('error', reject).end()
  })

test('a new pair is served without a restart; half a pair is not', async () => {
  const files = issue('first')
  const tls = tlsFromFiles(files, createLogger({ part: 'test', level: 'silent' }), 10)
  const server = createServer(tls.options, (_, response) => response.end('ok'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  tls.watch(server)
  const { port } = server.address() as AddressInfo
  try {
    expect(await servedName(port)).toBe('first')
    writeFileSync(files.key, 'half way')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await servedName(port)).toBe('first')
    issue('second')
    await vi.waitFor(async () => expect(await servedName(port)).toBe('second'))
  } finally {
    tls.close()
    server.close()
    server.closeAllConnections()
  }
})
