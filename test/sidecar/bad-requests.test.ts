import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { HEADERS, message, openSession, post, sendSlowly } from './raw-agent.ts'
import { answerWith, type RawServer, startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts } from './world.ts'

describe('a request the protocol does not allow', () => {
  const world = createWorld()
  let server: RawServer
  let gate: Standalone
  let url: string
  let session: Record<string, string>

  beforeAll(async () => {
    server = await startRawServer((call, response) =>
      answerWith(response, call.id, { content: [{ type: 'text', text: 'done' }] }),
    )
    world.onClose(server.close)
    gate = await openGate(world, { servers: { raw: server.url, everything: server.url } })
    url = `${gate.url}/mcp/raw`
    session = await openSession(url)
  })
  afterAll(() => world.close())

  const call = (args: string) =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"anything","arguments":${args}}}`
  const deep = (n: number) => call(`{"a":${'['.repeat(n)}${']'.repeat(n)}}`)
  const cases: [name: string, body: string | Buffer, status: number, code: number][] = [
    ['is not JSON', '{"jsonrpc":', 400, -32700],
    ['is empty', '', 400, -32700],
    ['is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400, -32700],
    ['is over 4 MiB', call(`{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`), 413, -32600],
    ['is 200,000 deep', deep(200_000), 400, -32700],
    ['has a key twice', call('{"amount":1,"amount":2}'), 400, -32700],
    ['has a key twice, once escaped', call('{"amount":1,"\\u0061mount":2}'), 400, -32700],
    ['has the key __proto__', call('{"__proto__":{"amount":1}}'), 400, -32700],
    ['has a number no double holds', call('{"amount":9007199254740993}'), 400, -32700],
    ['has a lone surrogate', call('{"a":"\\ud800"}'), 400, -32700],
    ['is a batch', `[${call('{}')}]`, 400, -32600],
    ['is not JSON-RPC 2.0', '{"jsonrpc":"1.0","id":1,"method":"tools/call"}', 400, -32600],
    ['has a null id', '{"jsonrpc":"2.0","id":null,"method":"tools/call"}', 400, -32600],
    ['has a fraction for an id', '{"jsonrpc":"2.0","id":1.5,"method":"tools/call"}', 400, -32600],
    ['answers what was not asked', '{"jsonrpc":"2.0","id":1,"result":{}}', 400, -32600],
    ['has a list for params', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}', 400, -32600],
    ['names no tool', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', 200, -32602],
    ['has a list for arguments', call('[]'), 200, -32602],
    [
      'says more of a task than how long it is kept',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"anything","task":{"ttl":1,"note":"x"}}}',
      200,
      -32602,
    ],
    ['reads no resource', message(1, 'resources/read', {}), 200, -32602],
    [
      'gets a prompt with an object for an argument',
      message(1, 'prompts/get', { name: 'a', arguments: { b: {} } }),
      200,
      -32602,
    ],
    ['completes nothing', message(1, 'completion/complete', { ref: { type: 'ref/tool', name: 'a' } }), 200, -32602],
    ['wants to log at an unknown level', message(1, 'logging/setLevel', { level: 'loud' }), 200, -32602],
    ['asks for a task that no call began', message(1, 'tasks/get', { taskId: 'a' }), 200, -32602],
    ['lists what no rule could give', message(1, 'prompts/list'), 200, -32601],
    ['has an unknown method', message(1, 'resources/write', { uri: 'file:///etc/passwd' }), 200, -32601],
    ['is of the other revision', message(1, 'tasks/update', { taskId: 'a' }), 200, -32601],
    ['has an unknown notification', message(undefined, 'notifications/unknown'), 400, -32601],
    ['tells of a task of its own', message(undefined, 'notifications/tasks/status', { taskId: 'a' }), 400, -32601],
  ]
  it.each(cases)("that %s gets the protocol's own error and changes nothing", async (_name, body, status, code) => {
    const before = { sent: server.requests.length, receipts: readReceipts(world.path('data')).length }
    const response = await post(url, body, session)
    const answer = (await response.json()) as { jsonrpc: string; error: { code: number; message: string } }
    expect([response.status, answer.jsonrpc, answer.error.code]).toEqual([status, '2.0', code])
    expect(answer.error.message.length).toBeGreaterThan(10)
    expect({ sent: server.requests.length, receipts: readReceipts(world.path('data')).length }).toEqual(before)
  })

  it.each([
    ['an unknown protocol version', { 'mcp-protocol-version': '2024-11-05' }, 400],
    ['a version the session does not use', { 'mcp-protocol-version': '2025-06-18' }, 400],
    ['an unknown session', { 'mcp-session-id': 'made-up' }, 404],
    ["the server's own session id", { 'mcp-session-id': 'upstream-session' }, 404],
    ['the origin of a page', { origin: 'https://evil.example' }, 403],
    ['a name that resolves to loopback', { origin: 'http://localhost.evil.example' }, 403],
    ['another content type', { 'content-type': 'text/plain' }, 415],
    ['no event stream accepted', { accept: 'application/json' }, 406],
  ])('with %s is refused', async (_name, headers, status) => {
    const before = server.requests.length
    const response = await post(url, call('{}'), { ...session, ...headers })
    await response.text()
    expect(response.status).toBe(status)
    expect(server.requests.length).toBe(before)
  })

  it('under another host name is refused', async () => {
    const body = call('{}')
    const answer = await sendSlowly(
      gate.port,
      [
        Buffer.from(
          `POST /mcp/raw HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        ),
      ],
      0,
    )
    expect(answer).toMatch(/^HTTP\/1.1 403/)
  })

  it('in a session with another server is refused', async () => {
    const before = server.requests.length
    expect((await post(`${gate.url}/mcp/everything`, call('{}'), session)).status).toBe(404)
    expect((await fetch(`${gate.url}/mcp/everything`, { headers: { ...HEADERS, ...session } })).status).toBe(404)
    expect(server.requests.length).toBe(before)
  })

  it('without a session is refused, except for initialize', async () => {
    expect((await post(url, call('{}'))).status).toBe(400)
  })

  it('of an unknown server is answered 404, and a call of it is recorded as denied', async () => {
    expect((await post(`${gate.url}/mcp/nowhere`, message(1, 'tools/list'), session)).status).toBe(404)
    const response = await post(`${gate.url}/mcp/nowhere`, call('{}'), session)
    const { result } = (await response.json()) as { result: { _meta: Record<string, string> } }
    expect(result._meta['dev.remit/code']).toBe('UnknownServer')
    expect(bodies(readReceipts(world.path('data')), 'intent').at(-1)?.decision).toMatchObject({
      effect: 'Deny',
      code: 'UnknownServer',
    })
  })

  it('may come in pieces, at any pace', async () => {
    const body = call('{"emoji":"\u{1f600}"}')
    const bytes = Buffer.from(
      `POST /mcp/raw HTTP/1.1\r\nhost: 127.0.0.1:${gate.port}\r\nconnection: close\r\n${Object.entries({
        ...HEADERS,
        ...session,
      })
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7))
    expect(await sendSlowly(gate.port, pieces, 2)).toContain('"done"')
    expect(server.messages().at(-1).params.arguments).toEqual({ emoji: '\u{1f600}' })
  })

  it('keeps unknown fields of what servers say, and forwards of a call nothing that nobody decided', async () => {
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 9,
      method: 'tools/call',
      extra: 1,
      params: {
        name: 'anything',
        arguments: { n: 1.5 },
        task: { ttl: 1_000 },
        later: [true],
        inputResponses: { a: { beside: true } },
        requestState: 'beside',
        _meta: {
          'dev.remit/task': 't',
          other: 'beside',
          tracestate: 'beside=1',
          baggage: 'beside=1',
          progressToken: 'p',
        },
      },
    })
    await (
      await post(url, body, { ...session, authorization: 'Bearer of-the-agent', cookie: 'a=b', 'x-anything': 'y' })
    ).json()
    const { headers, body: sent } = server.requests.at(-1)!
    const forwarded = JSON.parse(sent)
    expect(forwarded).toEqual({
      jsonrpc: '2.0',
      id: 9,
      method: 'tools/call',
      params: {
        name: 'anything',
        arguments: { n: 1.5 },
        task: { ttl: 1_000 },
        _meta: { progressToken: 'p', traceparent: expect.stringMatching(/^00-/) },
      },
    })
    expect([headers.authorization, headers.cookie, headers['x-anything']]).toEqual([undefined, undefined, undefined])
    expect(headers['mcp-session-id']).toBe('upstream-session')

    const list = (await (await post(url, message(10, 'tools/list'), session)).json()) as { result: object }
    expect(list.result).toEqual({
      tools: [{ name: 'anything', inputSchema: { type: 'object' }, unknown: { kept: true } }],
      nextCursor: 'more',
    })
  })

  it('offers the newest version to a client of an unknown one, and asks for no capability of the client', async () => {
    const response = await post(
      url,
      message(0, 'initialize', {
        protocolVersion: '2031-01-01',
        capabilities: { sampling: {} },
        clientInfo: { name: 'x', version: '1' },
      }),
    )
    const { result } = (await response.json()) as { result: { protocolVersion: string; capabilities: object } }
    expect(result.protocolVersion).toBe('2025-11-25')
    expect(result.capabilities).toEqual({ tools: { listChanged: true } })
    expect(server.messages().at(-1).params.capabilities).toEqual({})
  })

  it('ends a session on DELETE', async () => {
    const other = await openSession(url)
    expect((await fetch(url, { method: 'DELETE', headers: other })).status).toBe(200)
    expect((await post(url, message(1, 'ping'), other)).status).toBe(404)
  })
})
