import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, expect, test } from 'vitest'
import { createLogger } from '../lib/service/log.ts'
import { sendError } from './http/errors.ts'
import { otlpRelay, type RelayOptions } from './otlp.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
const listen = async (server: Server) => {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const log = createLogger({ part: 'test', level: 'silent' })
const caller = { namespace: 'payments', agent: 'bot', podName: 'agent-bot', podUID: 'u', expiresAt: 0 }

const relayTo = async (endpoint: string | undefined, options: Partial<RelayOptions> = {}) => {
  const relay = otlpRelay({ endpoint, log, ...options })
  const app = express().post('/', (req, res) =>
    relay(caller, 'traces', req, res).catch((error) => sendError(res, error, log)),
  )
  return listen(createServer(app))
}
const collector = async (
  answer: (headers: IncomingMessage['headers'], body: Buffer) => { status: number; body: string },
) =>
  listen(
    createServer(async (req, res) => {
      const chunks: Buffer[] = []
      for await (const chunk of req) chunks.push(chunk as Buffer)
      const { status, body } = answer(req.headers, Buffer.concat(chunks))
      res.writeHead(status, { 'content-type': 'application/json', 'x-inside': 'secret' }).end(body)
    }),
  )
const post = (url: string, body: Buffer | string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }>((resolve, reject) => {
    const message = request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      async (res) => {
        let text = ''
        for await (const chunk of res) text += chunk
        resolve({ status: res.statusCode ?? 0, text, headers: res.headers })
      },
    )
    message.on('error', reject)
    message.end(body)
  })

test('passes bytes on as they are with who sent them, and the answer back; no token, no other header', async () => {
  const seen: { headers: IncomingMessage['headers']; body: Buffer }[] = []
  const target = await collector((headers, body) => {
    seen.push({ headers, body })
    return { status: 200, body: '{"partialSuccess":{}}' }
  })
  const body = Buffer.from([0x1f, 0x8b, 0, 255, 10])
  const headers = {
    authorization: 'Bearer secret',
    'content-encoding': 'gzip',
    'x-remit-agent': 'somebody-else',
    'x-other': 'y',
  }
  const answer = await post(await relayTo(`${target}/`), body, headers)
  expect(answer).toMatchObject({ status: 200, text: '{"partialSuccess":{}}' })
  expect(answer.headers['x-inside']).toBeUndefined()
  expect(seen[0]?.body).toEqual(body)
  expect(seen[0]?.headers).toMatchObject({
    'content-encoding': 'gzip',
    'x-remit-agent': 'bot',
    'x-remit-namespace': 'payments',
    'x-remit-pod': 'agent-bot',
  })
  expect(seen[0]?.headers.authorization ?? seen[0]?.headers['x-other']).toBeUndefined()
})

test('without a collector it is taken and dropped', async () => {
  expect(await post(await relayTo(undefined), '{"resourceSpans":[]}')).toMatchObject({ status: 200, text: '{}' })
})

test('a collector that is away or slow is said to be, at once or in time', async () => {
  const away = await post(await relayTo('http://127.0.0.1:1'), '{}')
  expect({ status: away.status, code: JSON.parse(away.text).error.code }).toEqual({
    status: 503,
    code: 'LedgerUnavailable',
  })
  const stuck = await listen(createServer(() => undefined))
  expect((await post(await relayTo(stuck, { timeoutMs: 100 }), '{}')).status).toBe(503)
})

test('too much is refused, also when the length was not said', async () => {
  const target = await collector(() => ({ status: 200, body: '{}' }))
  const url = await relayTo(target, { maxBytes: 1_000 })
  expect((await post(url, 'x'.repeat(1_001))).status).toBe(413)
  const chunked = post(url, 'x'.repeat(100_000), { 'transfer-encoding': 'chunked' })
  expect(await chunked.then(({ status }) => status)).toBe(413)
})
