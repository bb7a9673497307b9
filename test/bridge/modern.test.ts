import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import {
  callModern,
  createWorld,
  FIXTURE,
  follow,
  HEADERS,
  MODERN_FIXTURE,
  messagesOf,
  modern,
  openSession,
  sleep,
  textOf,
  type World,
} from './bridge.ts'

describe.each([
  ['2025-11-25', FIXTURE, 'stdio-fixture'],
  ['2026-07-28', MODERN_FIXTURE, 'stdio-modern'],
])('a client of 2026-07-28 before a server of %s', (version, command, name) => {
  let world: World
  afterEach(() => world.close())
  const start = async (flags: string[] = []) => {
    world = createWorld()
    const bridge = await world.bridge(command, flags)
    await bridge.ready()
    return bridge
  }

  it('finds out, lists and calls', async () => {
    const bridge = await start()
    expect(await bridge.logged('the server is ready')).toMatchObject([{ version }])
    const [found] = await messagesOf(await modern(bridge.url, 'server/discover'))
    expect(found.result).toMatchObject({
      resultType: 'complete',
      supportedVersions: expect.arrayContaining(['2026-07-28', '2025-11-25']),
      capabilities: { tools: {} },
      _meta: { 'io.modelcontextprotocol/serverInfo': { name } },
    })
    const [list] = await messagesOf(await modern(bridge.url, 'tools/list'))
    expect(list.result).toMatchObject({ resultType: 'complete', ttlMs: 0, tools: expect.anything() })
    const answer = await callModern(bridge.url, 'echo', { text: 'hi' }, { id: 'x-1' })
    expect(answer).toMatchObject({ id: 'x-1', result: { resultType: 'complete', content: [{ text: 'hi' }] } })
  })

  it('meets no other client: ids and progress tokens may be the same', async () => {
    const bridge = await start()
    const calls = ['a', 'b', 'c'].map((token) =>
      modern(bridge.url, 'tools/call', { name: 'slow', arguments: {} }, { id: 1, meta: { progressToken: token } }).then(
        messagesOf,
      ),
    )
    for (const [index, messages] of (await Promise.all(calls)).entries()) {
      expect(messages.map(({ params }) => params?.progressToken)).toEqual([
        ...Array(3).fill(['a', 'b', 'c'][index]),
        undefined,
      ])
      expect(messages[3]).toMatchObject({ id: 1, result: { content: [{ text: 'slowly' }] } })
    }
  })

  it('is asked by input_required, and answers with a retry', async () => {
    const bridge = await start()
    const capabilities = { elicitation: { form: {} } }
    const first = await callModern(bridge.url, 'ask', {}, { capabilities })
    expect(first.result.resultType).toBe('input_required')
    const [[key, request]] = Object.entries(first.result.inputRequests) as [[string, object]]
    expect(request).toMatchObject({ method: 'elicitation/create', params: { message: 'Your name?' } })
    const { requestState } = first.result
    const retry = (more: object) =>
      modern(
        bridge.url,
        'tools/call',
        { name: 'ask', arguments: {}, ...more, ...(requestState ? { requestState } : {}) },
        { id: 2, capabilities },
      ).then(messagesOf)
    const inputResponses = { [key]: { action: 'accept', content: { name: 'Ada' } } }
    const [done] = await retry({ inputResponses })
    expect(textOf(done)).toContain('Ada')
  })

  it('ends a call by closing its connection', async () => {
    const bridge = await start()
    const controller = new AbortController()
    const name = version === '2026-07-28' ? 'slow' : 'late'
    // From here on the bridge knows the tools and passes calls on at once.
    await callModern(bridge.url, 'echo', { text: 'here' })
    const gone = modern(bridge.url, 'tools/call', { name, arguments: { ms: 20_000 } }, { signal: controller.signal })
    await sleep(100)
    controller.abort()
    await expect(gone).rejects.toThrow()
    if (version === '2025-11-25')
      await eventually(async () => textOf(await callModern(bridge.url, 'cancelled')) === '1')
    expect(textOf(await callModern(bridge.url, 'echo', { text: 'still here' }))).toBe('still here')
  })

  it('listens', async () => {
    const bridge = await start()
    const controller = new AbortController()
    const response = await modern(
      bridge.url,
      'subscriptions/listen',
      { notifications: { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['test://a'] } },
      { id: 'sub', signal: controller.signal },
    )
    const { messages } = follow(response)
    await eventually(() => messages.length === 1)
    expect(messages[0]).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: { toolsListChanged: true },
        _meta: { 'io.modelcontextprotocol/subscriptionId': 'sub' },
      },
    })
    await callModern(bridge.url, version === '2026-07-28' ? 'grow' : 'change')
    // Each on its own: one may be here a moment before the other.
    const told = ['tools/list_changed', ...(version === '2025-11-25' ? ['resources/updated'] : [])]
    for (const what of told)
      await eventually(() => messages.some(({ method }) => method === `notifications/${what}`), { what })
    expect(messages.at(-1).params._meta['io.modelcontextprotocol/subscriptionId']).toBe('sub')
    controller.abort()
  })

  it('is refused as the transport says', async () => {
    const bridge = await start()
    const refused = async (response: Promise<Response>) => {
      const answered = await response
      const [{ error }] = await messagesOf(answered)
      return [answered.status, error.code]
    }
    const { url } = bridge
    expect(await refused(modern(url, 'tools/list', {}, { headers: { 'mcp-method': 'ping' } }))).toEqual([400, -32020])
    const echo = { name: 'echo', arguments: { text: 'x' } }
    expect(await refused(modern(url, 'tools/call', echo, { headers: { 'mcp-name': 'die' } }))).toEqual([400, -32020])
    expect(await refused(modern(url, 'tools/call', echo, { headers: { 'mcp-name': '=?base64?###?=' } }))).toEqual([
      400, -32020,
    ])
    expect((await modern(url, 'tools/call', echo, { headers: { 'mcp-name': '=?base64?ZWNobw==?=' } })).status).toBe(200)
    expect(await refused(modern(url, 'tools/list', {}, { headers: { 'mcp-protocol-version': '2025-11-25' } }))).toEqual(
      [400, -32020],
    )
    const later = { 'io.modelcontextprotocol/protocolVersion': '2030-01-01' }
    const ahead = await modern(
      url,
      'tools/list',
      {},
      { meta: later, headers: { 'mcp-protocol-version': '2030-01-01' } },
    )
    expect(ahead.status).toBe(400)
    expect((await messagesOf(ahead))[0].error).toMatchObject({
      code: -32022,
      data: { supported: expect.arrayContaining(['2026-07-28']), requested: '2030-01-01' },
    })
    expect(await refused(modern(url, 'no/such'))).toEqual([404, -32601])
    expect(await refused(modern(url, 'ping'))).toEqual([404, -32601])
    expect(
      await refused(
        fetch(url, {
          method: 'POST',
          headers: { ...HEADERS, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
          body: '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}',
        }),
      ),
    ).toEqual([400, -32602])
    expect((await fetch(url, { headers: { 'mcp-protocol-version': '2026-07-28' } })).status).toBe(405)
  })
})

describe('what passes through', () => {
  let world: World
  afterEach(() => world.close())

  it('keeps what a server of 2025-11-25 wrote, and adds what 2026-07-28 wants', async () => {
    world = createWorld()
    const bridge = await world.bridge(FIXTURE)
    await bridge.ready()
    const text = await (await modern(bridge.url, 'tools/call', { name: 'big', arguments: {} })).text()
    expect(text).toContain(
      '"result":{"resultType":"complete","content":[],"structuredContent":{"n":12345678901234567890,"e":1.0},"x-vendor":{"a":[1,{}]}}',
    )
  })

  it.each([
    ['2026-07-28', MODERN_FIXTURE, 'region'],
    ['2025-11-25', FIXTURE, 'echo'],
  ])('compares the headers of parameters with the arguments for a server of %s', async (_version, command, name) => {
    world = createWorld()
    const bridge = await world.bridge(command)
    await bridge.ready()
    const call = (headers: Record<string, string>) =>
      modern(bridge.url, 'tools/call', { name, arguments: { region: 'eu', text: 'in eu' } }, { headers })
    expect((await call({})).status).toBe(400)
    expect((await call({ 'mcp-param-region': 'us' })).status).toBe(400)
    expect(await (await call({ 'mcp-param-region': 'eu' })).text()).toContain('in eu')
    expect(await (await call({ 'mcp-param-region': '=?base64?ZXU=?=' })).text()).toContain('in eu')
  })

  it('tells a server of 2025-11-25 the capabilities of the client, and asks none that has none', async () => {
    world = createWorld()
    const bridge = await world.bridge(FIXTURE)
    await bridge.ready()
    const told = async (capabilities: object) =>
      JSON.parse(textOf(await callModern(bridge.url, 'client', {}, { capabilities }))!).capabilities
    expect(await told({})).toEqual({})
    expect(await told({ elicitation: { form: {} } })).toEqual({ elicitation: { form: {} } })
    expect(textOf(await callModern(bridge.url, 'ask'))).toContain('-32601')
    expect(textOf(await callModern(bridge.url, 'ask', {}, { capabilities: { sampling: {} } }))).toContain('-32601')
  })

  it('takes a requestState only once and for the same call', async () => {
    world = createWorld()
    const bridge = await world.bridge(FIXTURE)
    await bridge.ready()
    const capabilities = { elicitation: {} }
    const asked = await callModern(bridge.url, 'ask', { question: 'Which?' }, { capabilities })
    const { requestState, inputRequests } = asked.result
    const inputResponses = Object.fromEntries(
      Object.keys(inputRequests).map((key) => [key, { action: 'accept', content: { name: 'Bo' } }]),
    )
    const retry = async (args: object, responses: object = inputResponses) => {
      const params = { name: 'ask', arguments: args, requestState, inputResponses: responses }
      const [message] = await messagesOf(await modern(bridge.url, 'tools/call', params, { capabilities }))
      return message
    }
    expect((await retry({ question: 'Another?' })).error.code).toBe(-32602)
    const again = await retry({ question: 'Which?' }, {})
    expect(again.result.resultType).toBe('input_required')
    expect((await retry({ question: 'Which?' })).error.code).toBe(-32602)
    const params = { name: 'ask', arguments: { question: 'Which?' }, requestState: again.result.requestState }
    const [done] = await messagesOf(
      await modern(bridge.url, 'tools/call', { ...params, inputResponses }, { capabilities }),
    )
    expect(textOf(done)).toContain('Bo')
  })

  it('gives log messages to the one call that asked for them', async () => {
    world = createWorld()
    const bridge = await world.bridge(FIXTURE)
    await bridge.ready()
    const params = { name: 'log', arguments: {} }
    const methods = async (meta: object) =>
      (await messagesOf(await modern(bridge.url, 'tools/call', params, { meta }))).map(({ method }) => method)
    const level = 'io.modelcontextprotocol/logLevel'
    expect(await methods({ [level]: 'info' })).toEqual(['notifications/message', undefined])
    expect(await methods({ [level]: 'error' })).toEqual([undefined])
    expect(await methods({})).toEqual([undefined])
  })
})

describe('a client of 2025-11-25 before a server of 2026-07-28', () => {
  let world: World
  afterEach(() => world.close())
  const start = async () => {
    world = createWorld()
    const bridge = await world.bridge(MODERN_FIXTURE)
    await bridge.ready()
    return bridge
  }

  it('has a session of the bridge, which outlives the server process', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url)
    expect(session.opened.result).toMatchObject({
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'stdio-modern' },
      instructions: 'Mind the gap.',
    })
    expect(textOf(await session.call('echo', { text: 'x' }))).toBe('x')
    const [pong] = await messagesOf(await session.post({ id: 2, method: 'ping' }))
    expect(pong).toEqual({ jsonrpc: '2.0', id: 2, result: {} })
    const before = textOf(await session.call('pid'))
    expect((await session.call('die')).error).toMatchObject({ data: { effect: 'unknown' } })
    await bridge.ready()
    expect(textOf(await session.call('pid'))).not.toBe(before)
    expect((await session.remove()).status).toBe(200)
  })

  it('sees of tools and results what its revision can read', async () => {
    const bridge = await start()
    const client = new LegacyClient({ name: 'agent', version: '1' })
    await client.connect(new LegacyTransport(new URL(bridge.url)))
    const { tools } = await client.listTools()
    expect(tools.find(({ name }) => name === 'numbers')).toEqual({
      name: 'numbers',
      inputSchema: { type: 'object', properties: {} },
    })
    expect(await client.callTool({ name: 'numbers' })).toMatchObject({ content: [{ text: 'one and two' }] })
    await client.close()
    const [{ result }] = await messagesOf(await modern(bridge.url, 'tools/call', { name: 'numbers', arguments: {} }))
    expect(result.structuredContent).toEqual([1, 2])
  })

  it('is not held up for ever by a server that asks again and again', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url, { elicitation: { form: {} } })
    expect((await session.call('insist')).error).toMatchObject({ message: 'The server asked 8 times over.' })
  })

  it('is asked by a request on the stream of its call', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url, { elicitation: { form: {} } })
    const response = await session.post({ id: 1, method: 'tools/call', params: { name: 'ask', arguments: {} } })
    const { messages, reading } = follow(response)
    await eventually(() => messages.length === 1)
    expect(messages[0]).toMatchObject({ method: 'elicitation/create', params: { message: 'Your name?' } })
    await session.post({ id: messages[0].id, result: { action: 'accept', content: { name: 'Ada' } } })
    await reading
    expect(textOf(messages[1])).toBe('hello Ada')
    expect(messages[1].id).toBe(1)
  })

  it('hears of changes on its GET stream', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url)
    const controller = new AbortController()
    const { messages } = follow(await session.listen(controller.signal))
    await callModern(bridge.url, 'grow')
    await eventually(() => messages.some(({ method }) => method === 'notifications/tools/list_changed'))
    expect(messages[0].params).toEqual({})
    controller.abort()
  })
})

describe('--sessions-only', () => {
  let world: World
  afterEach(() => world.close())
  it('speaks no revision without sessions', async () => {
    world = createWorld()
    const bridge = await world.bridge(FIXTURE, ['--sessions-only'])
    await bridge.ready()
    const response = await modern(bridge.url, 'server/discover')
    expect(response.status).toBe(400)
    expect((await messagesOf(response))[0].error.code).toBe(-32000)
    // The official client, which tries 2026-07-28 first, then has a process of its own.
    for (const _ of ['one', 'other']) {
      const client = new Client({ name: 'agent', version: '1' }, { versionNegotiation: { mode: 'auto' } })
      await client.connect(new StreamableHTTPClientTransport(new URL(bridge.url)))
      const { content } = await client.callTool({ name: 'count', arguments: {} })
      expect(content).toEqual([{ type: 'text', text: '1' }])
      await client.close()
    }
  })
})
