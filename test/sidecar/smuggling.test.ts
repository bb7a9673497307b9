import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { MODERN, meta } from './modern-agent.ts'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, type RawServer, startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts } from './world.ts'

/** Bytes as an agent can write them on the gate's port; resolves with what came back until the gate hung up. */
const exchange = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
    socket.setTimeout(5_000, () => socket.destroy(new Error('the gate neither answered nor hung up')))
  })

describe('what an agent tries to get past the gate', () => {
  const world = createWorld()
  let server: RawServer
  let gate: Standalone
  let url: string
  let session: Record<string, string>

  beforeAll(async () => {
    server = await startRawServer((call, response) => answerWith(response, call.id, { content: [] }))
    world.onClose(server.close)
    gate = await openGate(world, { servers: { raw: server.url }, models: { main: server.url } })
    url = `${gate.url}/mcp/raw`
    session = await openSession(url)
  })
  afterAll(() => world.close())
  const sent = () => server.requests.length

  const twice: [where: string, body: string][] = [
    ['the tool', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"anything","Name":"refund"}}'],
    [
      'the arguments',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"anything","arguments":{},"ARGUMENTS":{"a":1}}}',
    ],
    ['the method', '{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call","params":{"name":"refund"}}'],
    ['the params', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"anything"},"param\u017f":{}}'],
    ['the id', '{"jsonrpc":"2.0","id":1,"Id":2,"method":"tools/call","params":{"name":"anything"}}'],
    [
      'its capabilities',
      '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","Capabilities":{"sampling":{}},"clientInfo":{"name":"a","version":"1"}}}',
    ],
  ]
  it.each(twice)('%s once more, for a server that ignores case, is refused', async (_where, body) => {
    const before = sent()
    const response = await post(url, body, session)
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: -32600 } }])
    expect(sent()).toBe(before)
  })

  it('an id that would be kept in every trace of the call has a bound', async () => {
    const before = sent()
    const call = { jsonrpc: '2.0', method: 'tools/call', params: { name: 'anything' } }
    const response = await post(url, JSON.stringify({ ...call, id: 'x'.repeat(257) }), session)
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: -32600 } }])
    expect(sent()).toBe(before)
    expect((await post(url, JSON.stringify({ ...call, id: 'x'.repeat(256) }), session)).status).toBe(200)
  })

  it('what needs an answer gets one, also a notification of what is only ever asked', async () => {
    const before = sent()
    const answers = await Promise.all([
      post(url, message(undefined, 'initialize', { protocolVersion: '2025-11-25' }), session),
      post(url, message(undefined, 'tools/call', { name: 'anything' }), session),
      post(`${gate.url}/mcp/unknown`, message(undefined, 'tools/call', { name: 'anything' }), session),
    ])
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400])
    expect(sent()).toBe(before)
  }, 5_000)

  const host = 'host: localhost\r\nconnection: close\r\n'
  const body = message(7, 'tools/call', { name: 'anything' })
  const json = `content-type: application/json\r\naccept: */*\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  const repeating = (name: string, ...headers: string[]) => {
    const text = message(7, 'tools/call', { name, _meta: meta() })
    const lines = [
      `mcp-protocol-version: ${MODERN}`,
      'mcp-method: tools/call',
      ...headers,
      `content-length: ${text.length}`,
    ]
    return `POST /mcp/raw HTTP/1.1\r\n${host}content-type: application/json\r\naccept: */*\r\n${lines.join('\r\n')}\r\n\r\n${text}`
  }
  const paths: [what: string, request: string, status: number][] = [
    ['a name that is repeated twice', repeating('anything', 'mcp-name: anything', 'mcp-name: anything'), 400],
    ['a name repeated in two parts', repeating('any, thing', 'mcp-name: any', 'mcp-name: thing'), 400],
    ['an absolute address', `POST http://10.0.0.1/mcp/raw HTTP/1.1\r\n${host}${json}`, 404],
    ['an encoded slash', `POST /mcp%2fraw HTTP/1.1\r\n${host}${json}`, 404],
    ['a step upwards', `POST /llm/main/../../mcp/raw HTTP/1.1\r\n${host}${json}`, 400],
    ['a step upwards, encoded', `GET /llm/main/%2e%2e/secret HTTP/1.1\r\n${host}\r\n`, 400],
    ['a second slash', `POST //mcp/raw HTTP/1.1\r\n${host}${json}`, 404],
    ['a deeper path', `POST /mcp/raw/more HTTP/1.1\r\n${host}${json}`, 404],
    ['another host', `POST /mcp/raw HTTP/1.1\r\nhost: gate.evil.example\r\nconnection: close\r\n${json}`, 403],
    [
      'a host that begins like ours',
      `POST /mcp/raw HTTP/1.1\r\nhost: localhost.evil.example\r\nconnection: close\r\n${json}`,
      403,
    ],
    ['an origin elsewhere', `POST /mcp/raw HTTP/1.1\r\n${host}origin: https://evil.example\r\n${json}`, 403],
    ['an opaque origin', `POST /mcp/raw HTTP/1.1\r\n${host}origin: null\r\n${json}`, 403],
    ['no host', `POST /mcp/raw HTTP/1.0\r\n${json}`, 403],
    ['two lengths', `POST /mcp/raw HTTP/1.1\r\n${host}content-length: 3\r\n${json}`, 400],
    ['a length and chunks', `POST /mcp/raw HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n${json}`, 400],
  ]
  it.each(paths)('%s leads nowhere', async (_what, request, status) => {
    const before = sent()
    expect((await exchange(gate.port, request)).slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
    expect(sent()).toBe(before)
  })

  it('a tunnel or another protocol is hung up on', async () => {
    const before = sent()
    expect(await exchange(gate.port, 'CONNECT 10.0.0.1:443 HTTP/1.1\r\nhost: localhost\r\n\r\n')).toBe('')
    expect(
      await exchange(
        gate.port,
        'GET /mcp/raw HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      ),
    ).toBe('')
    expect(sent()).toBe(before)
  })

  it('what it says of itself cannot keep a call out of the record', async () => {
    const loud = '\u0001'.repeat(1_000)
    const params = {
      name: 'anything',
      arguments: { text: 'x'.repeat(7_000) },
      _meta: { 'dev.remit/task': loud, 'dev.remit/reason': loud },
    }
    const response = await post(url, message(8, 'tools/call', params), session)
    expect(await response.json()).toMatchObject({ id: 8, result: { content: [] } })
    const intent = bodies(readReceipts(world.path('data')), 'intent').at(-1)
    expect(intent).toMatchObject({ decision: { effect: 'Allow' }, stated: { task: loud } })
  })
})

describe('what an agent sends all at once', () => {
  const world = createWorld()
  afterAll(() => world.close())

  it('is held up to a bound, and no longer than it is needed', async () => {
    const waiting: (() => void)[] = []
    const server = await startRawServer(
      (call, response) => void waiting.push(() => answerWith(response, call.id, { content: [] })),
    )
    world.onClose(server.close)
    const gate = await openGate(world, { servers: { raw: server.url }, limits: { heldBytes: 100_000 } })
    const url = `${gate.url}/mcp/raw`
    const session = await openSession(url)
    const send = (id: number) =>
      post(url, message(id, 'tools/call', { name: 'anything', arguments: { text: 'x'.repeat(60_000) } }), session)
    const first = send(1)
    await expect.poll(() => waiting.length).toBe(1)
    expect((await send(2)).status).toBe(413)
    waiting[0]?.()
    expect((await first).status).toBe(200)
    const third = send(3)
    await expect.poll(() => waiting.length).toBe(2)
    waiting[1]?.()
    expect((await third).status).toBe(200)
  })
})
