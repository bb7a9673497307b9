import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts } from './world.ts'

/** Of a machine that is busy with other things. */
const PATIENT = { timeout: 5_000 }

/** A server of 2025-11-25 that ends the connection of a call after an event and has it polled for the rest. */
const startPolled = async (poll: (response: ServerResponse, lastEventId: string, id: unknown) => void) => {
  const polls: IncomingMessage['headers'][] = []
  const told: string[] = []
  let id: unknown
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      polls.push(request.headers)
      return poll(response, String(request.headers['last-event-id']), id)
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const asked = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (asked.id === undefined) {
      told.push(asked.method)
      return void response.writeHead(202).end()
    }
    if (asked.method === 'initialize') {
      response.setHeader('mcp-session-id', 'polled')
      return answerWith(response, asked.id, {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'polled', version: '1' },
      })
    }
    if (asked.method !== 'tools/call') return void response.writeHead(400).end()
    id = asked.id
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 0\nid: e-1\ndata: \n\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    polls,
    told,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

describe('a server that has its answers polled', () => {
  const world = createWorld()
  afterAll(() => world.close())
  let runs = 0
  const call = async (poll: Parameters<typeof startPolled>[0], callMs = 5_000) => {
    const server = await startPolled(poll)
    world.onClose(server.close)
    const dataDir = world.path(`data-${++runs}`)
    const gate = await openGate(world, { servers: { raw: server.url }, dataDir, limits: { callMs } })
    const url = `${gate.url}/mcp/raw`
    const session = await openSession(url)
    const text = await (await post(url, message(9, 'tools/call', { name: 'anything' }), session)).text()
    return { text, server, outcome: bodies(readReceipts(dataDir), 'result').at(-1)?.outcome }
  }

  it('is asked for the rest, after the last event, as often as it takes', async () => {
    const { text, server, outcome } = await call((response, last, id) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const count = Number(last.slice(2))
      if (count < 4) response.end(`id: e-${count + 1}\ndata: \n\n`)
      else response.end(`id: end\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } })}\n\n`)
    })
    expect(JSON.parse(text)).toEqual({ jsonrpc: '2.0', id: 9, result: { content: [] } })
    expect(server.polls.map((headers) => headers['last-event-id'])).toEqual(['e-1', 'e-2', 'e-3', 'e-4'])
    expect(server.polls[0]).toMatchObject({ 'mcp-session-id': 'polled', 'mcp-protocol-version': '2025-11-25' })
    expect([outcome, server.told]).toEqual(['ok', ['notifications/initialized']])
  })

  it.each<[string, Parameters<typeof startPolled>[0], number]>([
    ['forgets it', (response) => response.writeHead(404).end(), 1],
    ['says nothing new', (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(), 3],
    ['answers something else', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('hi'), 3],
  ])('and %s is given up', async (_what, poll, polls) => {
    const { text, server, outcome } = await call(poll)
    expect(text).toContain('ended without an answer')
    expect([server.polls.length, outcome]).toEqual([polls, 'invalid'])
  })

  it('for ever has until the call takes too long, and is not asked as fast as it likes', async () => {
    let count = 1
    const { outcome, server } = await call((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`id: e-${++count}\ndata: \n\n`)
    }, 500)
    expect(outcome).toBe('timeout')
    expect(server.polls.length).toBeLessThan(4)
    await expect.poll(() => server.told.at(-1), PATIENT).toBe('notifications/cancelled')
  })
})
