import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { MODERN, meta, send } from './modern-agent.ts'
import { HEADERS, message, post } from './raw-agent.ts'
import { answerWith, type RawServer, startRawServer } from './raw-server.ts'
import { createWorld, openGate, readReceipts } from './world.ts'

const LEGACY_VERSIONS = ['2025-11-25', '2025-06-18']
const VERSION = 'io.modelcontextprotocol/protocolVersion'
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
const TOOL = {
  name: 'anything',
  inputSchema: {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      inner: { type: 'object', properties: { count: { type: 'integer', 'x-mcp-header': 'Count' } } },
      dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
    },
  },
}

/** A server of 2026-07-28 that says everything might be cached for ever, by everybody. */
const startModernServer = () =>
  startRawServer(
    (call, response) =>
      answerWith(response, call.id, { resultType: 'complete', content: [{ type: 'text', text: 'done' }] }),
    {
      'server/discover': (asked, response) =>
        answerWith(response, asked.id, {
          resultType: 'complete',
          supportedVersions: [MODERN],
          capabilities: { tools: {}, prompts: {}, resources: { subscribe: true }, extensions: { 'com.example/x': {} } },
          instructions: 'Be brief.',
          ttlMs: 3_600_000,
          cacheScope: 'public',
          _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'raw', version: '1' } },
        }),
      'tools/list': (asked, response) =>
        answerWith(response, asked.id, {
          resultType: 'complete',
          tools: [TOOL, { name: 'unmirrored', inputSchema: { type: 'object', 'x-mcp-header': 'Root' } }],
          ttlMs: 3_600_000,
          cacheScope: 'public',
        }),
    },
  )

describe('a request of 2026-07-28', () => {
  const world = createWorld()
  let server: RawServer
  let gate: Standalone
  let url: string

  beforeAll(async () => {
    server = await startModernServer()
    world.onClose(server.close)
    gate = await openGate(world, { servers: { raw: server.url } })
    url = `${gate.url}/mcp/raw`
    // The gate learns from the list what the headers of calls have to be.
    await (await send(url, 'tools/list')).text()
  })
  afterAll(() => world.close())

  const call = (args: object = {}, headers: Record<string, string | undefined> = {}, params: object = {}) =>
    send(url, 'tools/call', { name: 'anything', arguments: args, ...params }, headers)
  const without = (key: string) => Object.fromEntries(Object.entries(meta()).filter(([name]) => name !== key))

  const refused: [what: string, ask: () => Promise<Response>, status: number, code: number][] = [
    ['without its version', () => call({}, {}, { _meta: without(VERSION) }), 400, -32602],
    ['without its capabilities', () => call({}, {}, { _meta: without(CAPABILITIES) }), 400, -32602],
    ['without _meta', () => call({}, {}, { _meta: undefined }), 400, -32602],
    ['with capabilities that are none', () => call({}, {}, { _meta: meta([]) }), 400, -32602],
    [
      'with a second version for a server that ignores case',
      () => call({}, {}, { _meta: meta({}, { 'IO.modelcontextprotocol/protocolVersion': '2025-11-25' }) }),
      400,
      -32602,
    ],
    [
      'with a level that is none',
      () => call({}, {}, { _meta: meta({}, { 'io.modelcontextprotocol/logLevel': 'loud' }) }),
      400,
      -32602,
    ],
    ['without the header of its version', () => call({}, { 'mcp-protocol-version': undefined }), 400, -32020],
    ['with another version in the header', () => call({}, { 'mcp-protocol-version': '2025-11-25' }), 400, -32020],
    [
      'with two versions in the header',
      () => call({}, { 'mcp-protocol-version': `${MODERN}, 2025-11-25` }),
      400,
      -32020,
    ],
    ['without Mcp-Method', () => call({}, { 'mcp-method': undefined }), 400, -32020],
    ['with another Mcp-Method', () => call({}, { 'mcp-method': 'tools/list' }), 400, -32020],
    ['with Mcp-Method in another case', () => call({}, { 'mcp-method': 'Tools/Call' }), 400, -32020],
    ['without Mcp-Name', () => call({}, { 'mcp-name': undefined }), 400, -32020],
    ['with another Mcp-Name', () => call({}, { 'mcp-name': 'something' }), 400, -32020],
    ['with Mcp-Name twice', () => call({}, { 'mcp-name': 'anything, anything' }), 400, -32020],
    ['with an Mcp-Name that is no Base64', () => call({}, { 'mcp-name': '=?base64?YW55dGhpbmc?=' }), 400, -32020],
    ['without the header of an argument', () => call({ region: 'eu' }), 400, -32020],
    ['with another argument in the header', () => call({ region: 'eu' }, { 'mcp-param-region': 'us' }), 400, -32020],
    ['with the header of an argument it does not have', () => call({}, { 'mcp-param-region': 'us' }), 400, -32020],
    [
      'with another number in the header',
      () => call({ inner: { count: 42 } }, { 'mcp-param-count': '42.5' }),
      400,
      -32020,
    ],
    ['with no number in the header', () => call({ inner: { count: 42 } }, { 'mcp-param-count': '0x2a' }), 400, -32020],
    ['with another truth in the header', () => call({ dry: true }, { 'mcp-param-dry': 'True' }), 400, -32020],
    ['of an unknown method', () => send(url, 'tools/delete'), 404, -32601],
    ['of a method only sessions have', () => send(url, 'ping'), 404, -32601],
    ['that would begin a session', () => send(url, 'initialize', { protocolVersion: MODERN }), 404, -32601],
    ['that answers what was not asked', () => call({}, {}, { inputResponses: { a: {} } }), 200, -32602],
    ['with a state of its own making', () => call({}, {}, { requestState: 'made up' }), 200, -32602],
    ['with a state for what asks nothing', () => send(url, 'tools/list', { requestState: 'x' }), 200, -32602],
    ['of an unknown server', () => send(`${gate.url}/mcp/nowhere`, 'tools/list'), 404, -32602],
  ]
  it.each(refused)('%s is refused, and nothing leaves', async (_what, ask, status, code) => {
    const before = { sent: server.requests.length, receipts: readReceipts(world.path('data')).length }
    const response = await ask()
    const answer = (await response.json()) as { id: unknown; error: { code: number; message: string } }
    expect([response.status, answer.error.code, answer.id]).toEqual([status, code, 1])
    expect(answer.error.message.length).toBeGreaterThan(10)
    expect({ sent: server.requests.length, receipts: readReceipts(world.path('data')).length }).toEqual(before)
  })

  it('of an unknown version is told the known ones', async () => {
    const other = { ...meta(), [VERSION]: '2031-01-01' }
    const response = await call({}, { 'mcp-protocol-version': '2031-01-01' }, { _meta: other })
    expect([response.status, await response.json()]).toMatchObject([
      400,
      {
        id: 1,
        error: { code: -32022, data: { supported: [MODERN, ...LEGACY_VERSIONS], requested: '2031-01-01' } },
      },
    ])
  })

  it('may encode what its headers repeat, and write numbers otherwise', async () => {
    const args = { region: 'Zürich', inner: { count: 42 }, dry: false }
    const response = await call(args, {
      'mcp-name': '=?base64?YW55dGhpbmc=?=',
      'mcp-param-region': '=?base64?WsO8cmljaA==?=',
      'mcp-param-count': '42.0',
      'mcp-param-dry': 'false',
      'mcp-param-other': 'ignored',
    })
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { resultType: 'complete', content: [{ type: 'text', text: 'done' }] },
    })
    const { headers, body } = server.requests.at(-1)!
    expect(JSON.parse(body).params).toMatchObject({ name: 'anything', arguments: args })
    // The gate's own, not the agent's.
    expect(headers).toMatchObject({
      'mcp-protocol-version': MODERN,
      'mcp-method': 'tools/call',
      'mcp-name': 'anything',
      'mcp-param-region': '=?base64?WsO8cmljaA==?=',
      'mcp-param-count': '42',
      'mcp-param-dry': 'false',
    })
    expect(headers['mcp-param-other']).toBeUndefined()
    expect(headers['mcp-session-id']).toBeUndefined()
    expect(Object.keys(JSON.parse(body).params._meta).sort()).toEqual([
      'io.modelcontextprotocol/clientCapabilities',
      'io.modelcontextprotocol/clientInfo',
      'io.modelcontextprotocol/protocolVersion',
      'traceparent',
    ])
  })

  it('is served without a session, and names none', async () => {
    const response = await call({}, { 'mcp-session-id': 'made-up', 'last-event-id': '7' })
    expect([response.status, response.headers.get('mcp-session-id')]).toEqual([200, null])
    expect(response.headers.get('remit-receipt')).toMatch(/^[0-9a-f]{12}-\d+$/)
    for (const method of ['GET', 'DELETE']) {
      const headers = { accept: 'text/event-stream', 'mcp-protocol-version': MODERN }
      expect((await fetch(url, { method, headers })).status).toBe(405)
    }
  })

  it('that is denied is answered with a whole result', async () => {
    const response = await send(`${gate.url}/mcp/nowhere`, 'tools/call', { name: 'anything' })
    expect(await response.json()).toMatchObject({
      result: { resultType: 'complete', isError: true, _meta: { 'dev.remit/code': 'UnknownServer' } },
    })
  })

  it('learns what the server offers as far as the remit gives it, and for how long that holds', async () => {
    const answer = (await (await send(url, 'server/discover')).json()) as { result: object }
    expect(answer.result).toEqual({
      resultType: 'complete',
      supportedVersions: [MODERN, ...LEGACY_VERSIONS],
      capabilities: { tools: { listChanged: true } },
      instructions: 'Be brief.',
      ttlMs: 5_000,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'raw', version: '1' } },
    })
    const list = (await (await send(url, 'tools/list')).json()) as { result: object }
    expect(list.result).toEqual({ resultType: 'complete', tools: [TOOL], ttlMs: 5_000, cacheScope: 'private' })
  })

  it('posts no answers and nothing but requests that anybody reads', async () => {
    const before = server.requests.length
    const headers = { 'mcp-protocol-version': MODERN }
    const posted = async (body: object) =>
      (await fetch(url, { method: 'POST', headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) })).status
    expect(await posted({ jsonrpc: '2.0', id: 1, result: {} })).toBe(400)
    expect(await posted({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })).toBe(202)
    expect(await posted({ jsonrpc: '2.0', method: 'notifications/made-up' })).toBe(400)
    expect(server.requests.length).toBe(before)
  })

  it('does not open a session of the older revisions by being wrong', async () => {
    const response = await post(url, message(1, 'tools/list'), { 'mcp-protocol-version': MODERN })
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: -32602 } }])
  })
})
