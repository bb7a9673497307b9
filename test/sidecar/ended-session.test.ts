import { afterEach, expect, it } from 'vitest'
import { message, openSession, post } from './raw-agent.ts'
import { startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts, type World } from './world.ts'

let world: World
afterEach(() => world.close())

it('gives up what is under way in a session that its agent ends, and tells the server', async () => {
  world = createWorld()
  const server = await startRawServer(() => {})
  world.onClose(server.close)
  const gate = await openGate(world, { servers: { raw: server.url } })
  const url = `${gate.url}/mcp/raw`
  const session = await openSession(url)
  const other = await openSession(url)
  const calls = [session, other].map((headers) => post(url, message(1, 'tools/call', { name: 'anything' }), headers))
  const asked = () => server.messages().filter(({ method }) => method === 'tools/call').length
  await expect.poll(asked).toBe(2)

  expect((await fetch(url, { method: 'DELETE', headers: session })).status).toBe(200)
  const results = () => bodies(readReceipts(world.path('data')), 'result')
  await expect.poll(results).toMatchObject([{ outcome: 'cancelled' }])
  const told = () => server.messages().filter(({ method }) => method === 'notifications/cancelled')
  await expect.poll(told).toMatchObject([{ params: { requestId: 1 } }])
  await gate.close()
  await Promise.allSettled(calls)
})
