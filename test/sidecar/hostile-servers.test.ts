import { request } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { eventually } from '../harness/eventually.ts'
import { HEADERS, message, openSession, post } from './raw-agent.ts'
import { answerWith, type RawServer, startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts } from './world.ts'

/** Answers every request with the same bytes, which need not be HTTP. */
const startByteServer = async (bytes: () => string) => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => socket.write(bytes(), 'latin1'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

describe('what a server or model tries on the gate', () => {
  const world = createWorld()
  let gate: Standalone
  let server: RawServer
  let bytes = ''
  let flooded = 0

  beforeAll(async () => {
    const model = await startByteServer(() => bytes)
    world.onClose(model.close)
    server = await startRawServer((call, response) => {
      if (call.params?.name !== 'flood' && call.params?.name !== 'ping')
        return answerWith(response, call.id, { content: [] })
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (call.params.name === 'ping') {
        const pings = Array.from({ length: 2_000 }, (_, id) => `data: {"jsonrpc":"2.0","id":${id},"method":"ping"}\n\n`)
        response.end(
          `${pings.join('')}data: ${JSON.stringify({ jsonrpc: '2.0', id: call.id, result: { content: [] } })}\n\n`,
        )
        return
      }
      const data = JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/message',
        params: { level: 'info', data: 'x'.repeat(64 * 1024) },
      })
      const more = () => {
        while (!response.destroyed && flooded < 64 * 1024 * 1024) {
          flooded += data.length
          if (!response.write(`data: ${data}\n\n`)) return void response.once('drain', more)
        }
      }
      more()
    })
    world.onClose(server.close)
    gate = await openGate(world, {
      servers: { raw: server.url },
      models: { main: model.url },
      limits: { answerBytes: 1024 * 1024, idleMs: 2_000 },
    })
  })
  afterAll(() => world.close())

  const cases: [what: string, answer: string, outcome: string][] = [
    ['a status no client knows', 'HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n', 'invalid'],
    ['another protocol', 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', 'invalid'],
    [
      'a header with a control character',
      'HTTP/1.1 200 OK\r\nx-odd: a\x01b\r\ncontent-length: 0\r\n\r\n',
      'unreachable',
    ],
    ['endless headers', `HTTP/1.1 200 OK\r\n${'x-more: 1\r\n'.repeat(4_000)}`, 'unreachable'],
    ['nothing at all', '', 'timeout'],
  ]
  it.each(cases)('%s becomes an error, and its outcome is recorded', async (_what, answer, outcome) => {
    bytes = answer
    const response = await post(`${gate.url}/llm/main/chat/completions`, '{"model":"m"}')
    expect(response.status).toBeGreaterThanOrEqual(502)
    const intent = response.headers.get('remit-receipt')
    expect(bodies(readReceipts(world.path('data')), 'result').find((body) => body.intent === intent)).toMatchObject({
      outcome,
    })
  })

  it('a receipt of its own making does not reach the agent', async () => {
    bytes =
      'HTTP/1.1 200 OK\r\nremit-receipt: 000000000000-1\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'
    const response = await post(`${gate.url}/llm/main/chat/completions`, '{"model":"m"}')
    expect([response.status, await response.text()]).toEqual([200, '{}'])
    const name = response.headers.get('remit-receipt')
    expect(name).toMatch(/^[0-9a-f]{12}-\d+$/)
    expect(name).not.toBe('000000000000-1')
  })

  it('a redirect is not followed, so no credential goes elsewhere', async () => {
    bytes = `HTTP/1.1 307 Elsewhere\r\nlocation: ${server.url}\r\ncontent-length: 0\r\n\r\n`
    const before = server.requests.length
    const response = await fetch(`${gate.url}/llm/main/models`, { redirect: 'manual' })
    expect([response.status, server.requests.length]).toEqual([307, before])
  })

  it('what an agent says in a query is in the record, and what does not fit is not sent', async () => {
    bytes = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'
    const told = `/models?note=${'x'.repeat(1_500)}`
    expect((await fetch(`${gate.url}/llm/main${told}`)).status).toBe(200)
    const intents = () => bodies(readReceipts(world.path('data')), 'intent')
    expect(intents().at(-1)?.call).toMatchObject({ type: 'model', path: told })
    const before = intents().length
    expect((await fetch(`${gate.url}/llm/main${told}${'x'.repeat(1_000)}`)).status).toBe(400)
    expect(intents()).toHaveLength(before)
  })

  it('a flood of its requests is not answered by as many connections', async () => {
    const session = await openSession(`${gate.url}/mcp/raw`)
    const before = server.requests.length
    const response = await post(`${gate.url}/mcp/raw`, message(1, 'tools/call', { name: 'ping' }), session)
    expect(await response.json()).toMatchObject({ id: 1, result: { content: [] } })
    const answers = () =>
      server
        .messages()
        .slice(before)
        .filter(({ result }) => result !== undefined).length
    await expect.poll(answers).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(answers()).toBeLessThan(200)
  })

  it('messages an agent does not read do not pile up in the gate', async () => {
    const session = await openSession(`${gate.url}/mcp/raw`)
    const body = message(1, 'tools/call', { name: 'flood' })
    const agent = request(`${gate.url}/mcp/raw`, { method: 'POST', headers: { ...HEADERS, ...session } })
    const closed = new Promise<void>((resolve) => agent.once('close', resolve))
    agent.on('error', () => {})
    agent.on('response', (response) => {
      response.on('error', () => {})
      response.pause()
    })
    agent.end(body)
    const result = await eventually(
      () => {
        const found = bodies(readReceipts(world.path('data')), 'result').at(-1)
        expect(found?.outcome).toBe('cancelled')
        return found
      },
      { timeoutMs: 10_000 },
    )
    expect(result).toBeDefined()
    expect(flooded).toBeLessThan(32 * 1024 * 1024)
    agent.destroy()
    await closed
  }, 20_000)
})
