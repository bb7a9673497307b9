import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SignedRemit } from '../../lib/api/remit.ts'
import { createLogger } from '../../lib/service/log.ts'
import { openRemits, type Remits } from './held.ts'
import { remitStreams } from './stream.ts'

let dir: string
let remits: Remits
let server: Server
const sockets: Socket[] = []
let responses: ServerResponse[] = []
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'remit-stream-'))
  responses = []
  remits = openRemits({ dir, log: createLogger({ part: 'test', level: 'silent' }) })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  await remits.settled()
  rmSync(dir, { recursive: true })
})

const PADDING = 'x'.repeat(200_000)
const offer = (generation: number, purpose = PADDING) => {
  const agent = { id: 'one', namespace: 'payments', name: 'bot', purpose }
  remits.offer('payments', 'bot', {
    remit: { agent, generation, epoch: 1 },
    signature: String(generation),
  } as SignedRemit)
}
const serve = async (options: { beatMs: number; perPod?: number; livesMs?: number }) => {
  const streams = remitStreams({ remits, now: Date.now, ...options })
  const expiresAt = Date.now() + (options.livesMs ?? 60_000)
  server = createServer((_, response) => {
    responses.push(response)
    streams.serve({ namespace: 'payments', agent: 'bot', podName: 'p', podUID: 'u', expiresAt }, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return streams
}
const open = () => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return { socket, closed, generations: () => [...text.matchAll(/^id: (\d+)$/gm)].map((m) => Number(m[1])) }
}
const until = async (check: () => boolean) => {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a reader that is behind gets the latest only', async () => {
  await serve({ beatMs: 60_000 })
  const reader = open()
  offer(1)
  await until(() => reader.generations().includes(1))
  reader.socket.pause()
  for (let generation = 2; generation <= 100; generation++) {
    offer(generation)
    if (generation % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  reader.socket.resume()
  await until(() => reader.generations().includes(100))
  expect(reader.generations().length).toBeLessThan(60)
})

test('a reader that takes nothing is dropped', async () => {
  const streams = await serve({ beatMs: 100 })
  const reader = open()
  offer(1)
  await until(() => reader.generations().includes(1))
  reader.socket.pause()
  for (let generation = 2; streams.count() > 0; generation++) {
    offer(generation)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(streams.count()).toBe(0)
})

test('a stream ends with its token, and the oldest of a pod gives way', async () => {
  const streams = await serve({ beatMs: 60_000, perPod: 1, livesMs: 400 })
  const first = open()
  await until(() => streams.count() === 1)
  const second = open()
  await first.closed
  expect(streams.count()).toBe(1)
  await second.closed
  expect(streams.count()).toBe(0)
})

test('a stream that ends while its reader takes nothing is dropped, and nothing more is written to it', async () => {
  const streams = await serve({ beatMs: 1_000 })
  const failures: Error[] = []
  const reader = open()
  await until(() => streams.count() === 1)
  const response = responses[0]!
  response.on('error', (error) => failures.push(error))
  reader.socket.pause()
  // Small ones, so that what waits here in the end is less than what counts as much.
  for (let generation = 1, stuck = 0; stuck < 5; stuck = response.writableLength ? stuck + 1 : 0) {
    if (stuck === 0) offer(generation++, PADDING.slice(0, 40_000))
    await new Promise((resolve) => setTimeout(resolve, response.writableLength ? 20 : 0))
  }
  expect(response.writableLength).toBeGreaterThan(0)
  streams.close()
  await new Promise((resolve) => setTimeout(resolve, 2_200))
  expect(failures).toEqual([])
  expect(streams.count()).toBe(0)
})
