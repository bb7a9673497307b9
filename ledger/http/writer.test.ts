import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Writer, writerOf } from './writer.ts'

const PATIENCE_MS = 300
const PAGE = 'x'.repeat(1_000_000)

let dir: string
let ends: (() => void)[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'remit-writer-'))
})
afterEach(async () => {
  for (const end of ends) end()
  ends = []
  await rm(dir, { recursive: true })
})

/** What a reader is sent; over a socket whose buffers stay small. */
const serve = async (send: (writer: Writer) => Promise<void>): Promise<IncomingMessage> => {
  const socketPath = join(dir, 'socket')
  const server = createServer((_, response) => void send(writerOf(response, PATIENCE_MS)).then(() => response.end()))
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const message = await new Promise<IncomingMessage>((resolve, reject) =>
    get({ socketPath }, resolve).on('error', reject),
  )
  message.on('error', () => undefined)
  return message
}

test('who takes nothing is let go, and does not hold the turn of its pod', async () => {
  const gone = new Promise<boolean>((resolve) => {
    void serve(async (writer) => {
      while (await writer.write(PAGE));
      resolve(writer.gone())
    }).then((message) => message.pause())
  })
  expect(await Promise.race([gone, pause(3_000, 'still waiting')])).toBe(true)
})

test('who takes a little at a time is waited for', async () => {
  const message = await serve(async (writer) => {
    await writer.write(PAGE)
  })
  let bytes = 0
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length
    await pause(60)
  }
  expect(bytes).toBe(PAGE.length)
})
