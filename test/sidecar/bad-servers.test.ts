import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyReceipts } from '../../lib/core/chain.ts'
import type { Standalone } from '../../sidecar/standalone.ts'
import { freePorts } from '../harness/ports.ts'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, type RawServer, startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts } from './world.ts'

type Behaviour = (response: ServerResponse, id: number) => void
const sse = (response: ServerResponse, ...events: unknown[]) => {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of events) response.write(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
}

/** An answer, or what a server asks for, as its reader has it. */
const TWO_WAYS = (id: number, again: string): string =>
  `{"jsonrpc":"2.0","id":${id},"result":{"resultType":"input_required","inputRequests":{},"content":[],"${again}":"complete"}}`

describe('a server that is down, slow or answers garbage', () => {
  const world = createWorld()
  let behaviour: Behaviour
  let server: RawServer
  let gate: Standalone
  let session: Record<string, string>
  const receipts = () => readReceipts(world.path('data'))

  beforeAll(async () => {
    server = await startRawServer((call, response) => behaviour(response, call.id))
    world.onClose(server.close)
    const [closed = 0] = await freePorts(1)
    gate = await openGate(world, {
      servers: { raw: server.url, everything: `http://127.0.0.1:${closed}/mcp` },
      limits: { idleMs: 400, callMs: 1_500, answerBytes: 64 * 1024, cancelGraceMs: 100, returnMs: 100 },
    })
    session = await openSession(`${gate.url}/mcp/raw`)
  })
  afterAll(() => world.close())

  const call = async (id = 7) => {
    const response = await post(
      `${gate.url}/mcp/raw`,
      message(id, 'tools/call', { name: 'anything', arguments: {} }),
      session,
    )
    const text = await response.text()
    const raw = /^(event|id):/.test(text) ? text.split('data: ').at(-1)! : text
    return {
      status: response.status,
      ...(JSON.parse(raw) as {
        result?: { isError?: boolean; content: { text: string }[]; _meta: Record<string, string> }
      }),
    }
  }

  const cases: [name: string, behave: Behaviour, code: string, outcome: string, told: RegExp][] = [
    [
      'HTML and 502',
      (r) => r.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>'),
      'UpstreamInvalid',
      'invalid',
      /HTTP 502/,
    ],
    [
      'HTML and 200',
      (r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'),
      'UpstreamInvalid',
      'invalid',
      /text\/html/,
    ],
    [
      'half of a JSON',
      (r) => r.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0",'),
      'UpstreamInvalid',
      'invalid',
      /not JSON/,
    ],
    ['another id', (r) => answerWith(r, 999, {}), 'UpstreamInvalid', 'invalid', /another id/],
    [
      'neither result nor error',
      (r) => r.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":7}'),
      'UpstreamInvalid',
      'invalid',
      /neither or both/,
    ],
    [
      'compressed bytes nobody asked for',
      (r) => r.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'br' }).end('xx'),
      'UpstreamInvalid',
      'invalid',
      /encoding/,
    ],
    [
      'a body without end',
      (r) => {
        r.writeHead(200, { 'content-type': 'application/json' })
        const t = setInterval(() => r.write('x'.repeat(8_192)), 5)
        r.on('close', () => clearInterval(t))
      },
      'UpstreamInvalid',
      'invalid',
      /over 65536 bytes/,
    ],
    [
      'an answer that is another for who ignores case',
      (r, id) => r.writeHead(200, { 'content-type': 'application/json' }).end(TWO_WAYS(id, 'ResultType')),
      'UpstreamInvalid',
      'invalid',
      /resultType twice|spelled otherwise/,
    ],
    [
      'an answer that is another for who takes the first of two',
      (r, id) => {
        sse(r, TWO_WAYS(id, 'resultType'))
        r.end()
      },
      'UpstreamInvalid',
      'invalid',
      /resultType twice|spelled otherwise/,
    ],
    [
      'a request of its own for who ignores case',
      (r, id) => {
        sse(
          r,
          '{"jsonrpc":"2.0","method":"notifications/message","params":{},"Method":"sampling/createMessage","ID":1}',
          { jsonrpc: '2.0', id, result: { content: [] } },
        )
        r.end()
      },
      'UpstreamInvalid',
      'invalid',
      /resultType twice|spelled otherwise/,
    ],
    [
      'a stream without an answer',
      (r) => {
        sse(r, { jsonrpc: '2.0', method: 'notifications/message', params: {} })
        r.end()
      },
      'UpstreamInvalid',
      'invalid',
      /without an answer/,
    ],
    [
      'garbage in a stream',
      (r) => {
        sse(r, 'garbage')
        r.end()
      },
      'UpstreamInvalid',
      'invalid',
      /not JSON/,
    ],
    ['nothing', () => {}, 'UpstreamTimeout', 'timeout', /did not answer within 0.4 s/],
    [
      'drops for ever',
      (r) => {
        sse(r)
        const t = setInterval(() => r.write(': still here\n\n'), 50)
        r.on('close', () => clearInterval(t))
      },
      'UpstreamTimeout',
      'timeout',
      /did not answer/,
    ],
    [
      'a closed connection',
      (r) => r.destroy(),
      'UpstreamUnreachable',
      'unreachable',
      /connection reset.*took effect is unknown/s,
    ],
    [
      'a stream reset inside an event',
      (r, id) => {
        r.writeHead(200, { 'content-type': 'text/event-stream' })
        r.write(`data: {"jsonrpc":"2.0","id":${id},"resu`)
        setTimeout(() => r.destroy(), 20)
      },
      'UpstreamUnreachable',
      'unreachable',
      /broke off.*took effect is unknown/s,
    ],
    [
      'a stream that stands still inside an event',
      (r, id) => {
        r.writeHead(200, { 'content-type': 'text/event-stream' })
        r.write(`data: {"jsonrpc":"2.0","id":${id},"resu`)
      },
      'UpstreamTimeout',
      'timeout',
      /did not answer within 0.4 s/,
    ],
    [
      'a connection closed in the middle',
      (r) => {
        r.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
        r.write('{"jsonrpc"')
        setTimeout(() => r.destroy(), 20)
      },
      'UpstreamUnreachable',
      'unreachable',
      /broke off.*took effect is unknown/s,
    ],
    [
      'an error of a bridge whose server ended with the call',
      (r, id) => {
        const error = { code: -32603, message: 'the server ended', data: { effect: 'unknown' } }
        r.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, error }))
      },
      'UpstreamUnreachable',
      'unreachable',
      /lost.*took effect is unknown/s,
    ],
  ]
  it.each(cases)(
    '%s: the agent gets a sentence, the timeline the outcome',
    async (_name, behave, code, outcome, told) => {
      behaviour = behave
      const { status, result } = await call()
      expect([status, result?.isError, result?._meta['dev.remit/code']]).toEqual([200, true, code])
      expect(result?.content[0]?.text).toMatch(told)
      expect(bodies(receipts(), 'result').at(-1)).toMatchObject({ outcome, intent: result?._meta['dev.remit/receipt'] })
    },
  )

  it('refuses and never comes to an end: it is hung up on', async () => {
    let isClosed = false
    behaviour = (r) => {
      r.writeHead(500, { 'content-type': 'text/plain' })
      const more = setInterval(() => r.write('no'), 20)
      r.on('close', () => {
        clearInterval(more)
        isClosed = true
      })
    }
    expect((await call()).result).toMatchObject({ isError: true })
    await expect.poll(() => isClosed, { timeout: 5_000 }).toBe(true)
  })

  it('is down: nothing was sent, and that is said', async () => {
    const response = await post(
      `${gate.url}/mcp/everything`,
      message(1, 'initialize', {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'x', version: '1' },
      }),
    )
    expect(await response.json()).toMatchObject({
      id: 1,
      error: {
        code: -32603,
        data: { code: 'UpstreamUnreachable' },
        message: expect.stringContaining('connection refused'),
      },
    })
  })

  it("passes a server's own JSON-RPC error on as it is", async () => {
    behaviour = (r, id) =>
      r
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32000,"message":"no","data":1.0}}`)
    const response = await post(`${gate.url}/mcp/raw`, message(7, 'tools/call', { name: 'anything' }), session)
    expect(await response.text()).toBe('{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no","data":1.0}}')
    expect(bodies(receipts(), 'result').at(-1)?.outcome).toBe('error')
  })

  it('does not get to ask the agent anything: its requests are answered here, what is unknown is dropped', async () => {
    behaviour = (r, id) => {
      sse(
        r,
        { jsonrpc: '2.0', id: 'sample-1', method: 'sampling/createMessage', params: { messages: [] } },
        { jsonrpc: '2.0', id: 'ping-1', method: 'ping' },
        { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'x' } },
        { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'hello' } },
        { jsonrpc: '2.0', id, result: { content: [] } },
      )
      r.end()
    }
    const response = await post(`${gate.url}/mcp/raw`, message(7, 'tools/call', { name: 'anything' }), session)
    const text = await response.text()
    expect(text.split('\n\n').filter(Boolean)).toHaveLength(2)
    expect(text).toContain('hello')
    expect(text).not.toMatch(/sampling|resources/)
    await expect
      .poll(() => server.messages().filter(({ method }) => method === undefined))
      .toEqual([
        { jsonrpc: '2.0', id: 'sample-1', error: { code: -32601, message: expect.any(String) } },
        { jsonrpc: '2.0', id: 'ping-1', result: {} },
      ])
  })

  it('hears of it when the agent stays away, and the call is recorded as cancelled', async () => {
    // Not silent, which would end the call as well.
    behaviour = (response) => {
      sse(response)
      const talk = setInterval(() => response.write(': still there\n\n'), 50)
      response.once('close', () => clearInterval(talk))
    }
    const gone = new AbortController()
    const pending = fetch(`${gate.url}/mcp/raw`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...session },
      body: message(31, 'tools/call', { name: 'anything' }),
      signal: gone.signal,
    })
    setTimeout(() => gone.abort(), 150)
    await expect(pending).rejects.toThrow()
    await expect
      .poll(
        () =>
          server
            .messages()
            .filter(({ method }) => method === 'notifications/cancelled')
            .at(-1)?.params.requestId,
      )
      .toBe(31)
    await expect.poll(() => bodies(receipts(), 'result').at(-1)?.outcome).toBe('cancelled')
  })

  it('forgot the session: the agent is told to initialize again', async () => {
    behaviour = (r) => r.writeHead(404).end()
    const { status } = await call()
    expect(status).toBe(404)
    expect(bodies(receipts(), 'result').at(-1)?.outcome).toBe('error')
  })

  it('leaves an intent and a result of every call, in one unbroken chain', () => {
    const all = receipts()
    expect(verifyReceipts(all)).toEqual({ ok: true })
    expect(bodies(all, 'result')).toHaveLength(bodies(all, 'intent').length)
  })
})
