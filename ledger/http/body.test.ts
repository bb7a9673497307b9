import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger } from '../../lib/service/log.ts'
import { bodyBudget } from './body.ts'
import { sendError } from './errors.ts'
import { turns } from './turns.ts'

let server: Server
let release: () => void
beforeEach(async () => {
  const bodies = bodyBudget(1_000)
  const perCaller = turns(2)
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const log = createLogger({ part: 'test', level: 'silent' })
  const app = express().post('/:caller', async (req, res) => {
    try {
      res.json(
        await perCaller.run(req.params.caller, () =>
          bodies.read(req, 600, async (body) => {
            await held
            return body.length
          }),
        ),
      )
    } catch (error) {
      sendError(res, error, log)
    }
  })
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  release()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const post = (caller: string, size: number) =>
  new Promise<{ status: number; body: unknown; retryAfter?: string }>((resolve, reject) => {
    const message = request(
      { port: (server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST', path: `/${caller}` },
      async (res) => {
        let text = ''
        for await (const chunk of res) text += chunk
        resolve({ status: res.statusCode ?? 0, body: JSON.parse(text), retryAfter: res.headers['retry-after'] })
      },
    )
    message.on('error', reject)
    message.end(Buffer.alloc(size))
  })
const soon = () => new Promise((resolve) => setTimeout(resolve, 50))

test('bodies together never take more than the budget, and give it back', async () => {
  const first = post('a', 600)
  await soon()
  expect(await post('b', 600)).toMatchObject({ status: 429, retryAfter: '1' })
  release()
  expect(await first).toMatchObject({ status: 200, body: 600 })
  expect(await post('b', 600)).toMatchObject({ status: 200 })
  expect(await post('b', 601)).toMatchObject({ status: 413 })
})

test('one caller holds its share only', async () => {
  const two = [post('a', 10), post('a', 10)]
  await soon()
  expect(await post('a', 10)).toMatchObject({ status: 429 })
  const other = post('b', 10)
  release()
  expect((await Promise.all([...two, other])).map(({ status }) => status)).toEqual([200, 200, 200])
  expect((await post('a', 10)).status).toBe(200)
})
