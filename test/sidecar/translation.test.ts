import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ToolDefinition } from '../../lib/api/gen/types.ts'
import { definitionDigest } from '../../lib/core/pin.ts'
import { type Desk, startLegacyDesk, startModernDesk } from './desks.ts'
import { eventsOf, MODERN, meta, send } from './modern-agent.ts'
import { HEADERS, message, openSession, post } from './raw-agent.ts'
import { answerWith, type RawServer, startRawServer } from './raw-server.ts'
import { createWorld, openGate } from './world.ts'

/** Of a machine that is busy with other things. */
const PATIENT = { timeout: 5_000 }

const INFO = { 'io.modelcontextprotocol/serverInfo': { name: 'raw', version: '1' } }
/** What only the newer revision allows: a form of results that is no object, and results of that form. */
const TOOL = {
  name: 'anything',
  inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
  outputSchema: { type: 'array', items: { type: 'string' } },
}
const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: all, namespace: payments}
spec:
  tools:
  - {name: all, match: {servers: [raw]}, effect: Allow}
  resources:
  - {name: notes, match: {servers: [desk], uris: ["note://*"]}, effect: Allow}
  pins:
  - server: raw
    tool: anything
    digest: "${definitionDigest(TOOL as unknown as ToolDefinition)}"
    definition: ${JSON.stringify(TOOL)}
`

/** Reads a stream until a pattern has come. */
const readUntil = async (response: Response, pattern: RegExp) => {
  const reader = response.body!.getReader()
  let text = ''
  while (!pattern.test(text)) {
    const { value, done } = await reader.read()
    if (done) break
    text += Buffer.from(value).toString()
  }
  reader.releaseLock()
  return eventsOf(text)
}

describe('an agent of the older revisions at a server of 2026-07-28', () => {
  const world = createWorld()
  let server: RawServer
  let url: string
  let session: Record<string, string>

  beforeAll(async () => {
    server = await startRawServer(
      (call, response) => {
        const { _meta } = call.params as { _meta: Record<string, unknown> }
        const level = _meta['io.modelcontextprotocol/logLevel']
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const tell = (told: object) => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...told })}\n\n`)
        if (level !== undefined) tell({ method: 'notifications/message', params: { level, data: 'logged' } })
        tell({
          id: call.id,
          result: {
            resultType: 'complete',
            content: [{ type: 'text', text: 'done' }],
            structuredContent: ['a'],
            _meta: INFO,
          },
        })
        response.end()
      },
      {
        'server/discover': (asked, response) =>
          answerWith(response, asked.id, {
            resultType: 'complete',
            supportedVersions: [MODERN],
            capabilities: { tools: {}, logging: {}, resources: { subscribe: true } },
            ttlMs: 1,
            cacheScope: 'public',
            _meta: INFO,
          }),
        'tools/list': (asked, response) =>
          answerWith(response, asked.id, {
            resultType: 'complete',
            tools: [TOOL],
            nextCursor: 'two',
            ttlMs: 1,
            cacheScope: 'public',
          }),
      },
    )
    world.onClose(server.close)
    const gate = await openGate(world, { policy: POLICY, servers: { raw: server.url } })
    url = `${gate.url}/mcp/raw`
    session = await openSession(url)
  })
  afterAll(() => world.close())
  const ask = async (method: string, params?: object) => {
    const text = await (await post(url, message(5, method, params), session)).text()
    return text.startsWith('{') ? [JSON.parse(text)] : eventsOf(text)
  }

  it('begins a session that the server does not have', async () => {
    const response = await post(
      url,
      message(0, 'initialize', {
        protocolVersion: '2025-06-18',
        capabilities: { sampling: {} },
        clientInfo: { name: 'raw', version: '1' },
      }),
    )
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 0,
      result: {
        protocolVersion: '2025-06-18',
        capabilities: { tools: { listChanged: true }, logging: {} },
        serverInfo: { name: 'raw', version: '1' },
      },
    })
    expect(server.messages().some(({ method }) => method === 'initialize')).toBe(false)
  })

  it('is answered in its own form', async () => {
    const { outputSchema: _, ...tool } = TOOL
    expect(await ask('tools/list')).toEqual([{ jsonrpc: '2.0', id: 5, result: { tools: [tool], nextCursor: 'two' } }])
    // As pinned: what the agent is told of the tool is not what it is held against.
    expect(await ask('tools/call', { name: 'anything', arguments: { region: 'eu' } })).toEqual([
      { jsonrpc: '2.0', id: 5, result: { content: [{ type: 'text', text: 'done' }], _meta: INFO } },
    ])
    const { headers, body } = server.requests.at(-1)!
    expect(headers).toMatchObject({ 'mcp-method': 'tools/call', 'mcp-name': 'anything', 'mcp-param-region': 'eu' })
    expect(JSON.parse(body)).toMatchObject({
      id: 5,
      params: {
        name: 'anything',
        _meta: {
          'io.modelcontextprotocol/protocolVersion': MODERN,
          'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    })
  })

  it('keeps what its session would keep: the level of logs, and that it is there', async () => {
    const before = server.requests.length
    expect(await ask('ping')).toEqual([{ jsonrpc: '2.0', id: 5, result: {} }])
    expect(await ask('logging/setLevel', { level: 'error' })).toEqual([{ jsonrpc: '2.0', id: 5, result: {} }])
    expect((await ask('logging/setLevel', { level: 'loud' }))[0]).toMatchObject({ error: { code: -32602 } })
    expect(server.requests.length).toBe(before)
    expect(await ask('tools/call', { name: 'anything' })).toMatchObject([
      { method: 'notifications/message', params: { level: 'error' } },
      { id: 5, result: {} },
    ])
  })
})

describe('subscriptions between the eras', () => {
  const world = createWorld()
  afterAll(() => world.close())
  const begin = async (
    start: typeof startLegacyDesk,
    limits: { idleMs?: number } = {},
  ): Promise<{ desk: Desk; url: string }> => {
    const desk = await start(world)
    const gate = await openGate(world, {
      policy: POLICY,
      servers: { desk: desk.url },
      dataDir: world.path(`data-${Math.random()}`),
      limits,
    })
    return { desk, url: `${gate.url}/mcp/desk` }
  }
  const asked = (desk: Desk, method: string) =>
    desk.requests.flatMap(({ body }) => (body.includes(`"${method}"`) ? [JSON.parse(body)] : []))

  it('to a resource, of a session: the server of 2026-07-28 is listened to', async () => {
    const { desk, url } = await begin(startModernDesk)
    const session = await openSession(url)
    const controller = new AbortController()
    const { signal } = controller
    const stream = await fetch(url, { headers: { ...session, accept: 'text/event-stream' }, signal })
    const subscribe = message(2, 'resources/subscribe', { uri: 'note://one' })
    expect(await (await post(url, subscribe, session)).json()).toEqual({ jsonrpc: '2.0', id: 2, result: {} })
    await expect
      .poll(() => asked(desk, 'subscriptions/listen').at(-1)?.params.notifications, PATIENT)
      .toEqual({
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        resourceSubscriptions: ['note://one'],
      })
    const telling = setInterval(() => {
      desk.updated('note://other')
      desk.updated('note://one')
    }, 20)
    expect((await readUntil(stream, /note:/))[0]).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'note://one' },
    })
    clearInterval(telling)
    await (await post(url, message(3, 'resources/unsubscribe', { uri: 'note://one' }), session)).text()
    await expect
      .poll(() => asked(desk, 'subscriptions/listen').at(-1)?.params.notifications.resourceSubscriptions, PATIENT)
      .toBeUndefined()
    controller.abort()
  })

  it('may be silent for longer than an answer may', async () => {
    const { desk, url } = await begin(startModernDesk, { idleMs: 200 })
    const notifications = { toolsListChanged: true }
    const stream = await send(url, 'subscriptions/listen', { notifications }, {}, 'quiet')
    await readUntil(stream, /acknowledged/)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(asked(desk, 'subscriptions/listen')).toHaveLength(1)
    desk.changed()
    expect(await readUntil(stream, /list_changed/)).toMatchObject([{ method: 'notifications/tools/list_changed' }])
    await stream.body!.cancel()
  })

  it('to a resource, of a request: the server with sessions is subscribed to, as long as somebody listens', async () => {
    const { desk, url } = await begin(startLegacyDesk)
    const wanted = { resourceSubscriptions: ['note://one', 'secret://two'] }
    const listen = async (id: string, signal: AbortSignal) =>
      fetch(url, {
        method: 'POST',
        signal,
        headers: { ...HEADERS, 'mcp-protocol-version': MODERN, 'mcp-method': 'subscriptions/listen' },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id,
          method: 'subscriptions/listen',
          params: { notifications: wanted, _meta: meta() },
        }),
      })
    const first = new AbortController()
    const second = new AbortController()
    const streams = [await listen('a', first.signal), await listen('b', second.signal)]
    // What no rule gives it does not get, and is told so.
    const acknowledged = (id: string) => ({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: {
        notifications: { resourceSubscriptions: ['note://one'] },
        _meta: { 'io.modelcontextprotocol/subscriptionId': id },
      },
    })
    expect(await readUntil(streams[0]!, /acknowledged/)).toEqual([acknowledged('a')])
    expect(await readUntil(streams[1]!, /acknowledged/)).toEqual([acknowledged('b')])
    const subscriptions = () => asked(desk, 'resources/subscribe').map(({ params }) => params.uri)
    await expect.poll(subscriptions, PATIENT).toEqual(['note://one'])
    const telling = setInterval(() => {
      desk.updated('note://one')
      desk.changed()
    }, 20)
    for (const [index, id] of ['a', 'b'].entries())
      expect((await readUntil(streams[index]!, /note:/))[0]).toEqual({
        jsonrpc: '2.0',
        method: 'notifications/resources/updated',
        params: { uri: 'note://one', _meta: { 'io.modelcontextprotocol/subscriptionId': id } },
      })
    clearInterval(telling)
    first.abort()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(asked(desk, 'resources/unsubscribe')).toEqual([])
    second.abort()
    await expect
      .poll(() => asked(desk, 'resources/unsubscribe').map(({ params }) => params.uri), PATIENT)
      .toEqual(['note://one'])
  })
})

describe('an agent of 2026-07-28 at a server with sessions', () => {
  const world = createWorld()
  afterAll(() => world.close())

  it('is heard in one session of the gate, where levels of logs are as each request says', async () => {
    const server = await startRawServer(
      (call, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        const tell = (told: object) => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...told })}\n\n`)
        for (const level of ['debug', 'error'])
          tell({ method: 'notifications/message', params: { level, data: 'logged' } })
        tell({ id: call.id, result: { content: [], structuredContent: { exact: 1 } } })
        response.end()
      },
      {
        'server/discover': (_asked, response) => void response.writeHead(400).end(),
        'resources/read': (asked, response) =>
          void response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, error: { code: -32002, message: 'none' } })),
        initialize: (asked, response) => {
          response.setHeader('mcp-session-id', 'upstream-session')
          answerWith(response, asked.id, {
            protocolVersion: '2025-06-18',
            capabilities: { tools: {}, logging: {}, resources: {} },
            serverInfo: { name: 'raw', version: '1' },
            instructions: 'Be brief.',
          })
        },
      },
    )
    world.onClose(server.close)
    const policy = POLICY.slice(0, POLICY.indexOf('  pins:')).replace('[desk]', '[raw]')
    const gate = await openGate(world, { policy, servers: { raw: server.url } })
    const url = `${gate.url}/mcp/raw`
    const call = async (more: object, id: number) =>
      (await send(url, 'tools/call', { name: 'anything', _meta: meta({}, more) }, {}, id)).text()
    const result = {
      resultType: 'complete',
      content: [],
      structuredContent: { exact: 1 },
      _meta: INFO,
    }
    const level = (name: string) => ({ 'io.modelcontextprotocol/logLevel': name })
    const log = (name: string) => ({
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: name, data: 'logged' },
    })
    expect(JSON.parse(await call({}, 1))).toEqual({ jsonrpc: '2.0', id: 1, result })
    expect(eventsOf(await call(level('warning'), 1))).toEqual([log('error'), { jsonrpc: '2.0', id: 1, result }])
    expect(eventsOf(await call(level('debug'), 2))).toEqual([
      log('debug'),
      log('error'),
      { jsonrpc: '2.0', id: 2, result },
    ])
    await call(level('error'), 3)
    const sent = server.messages()
    expect(sent.filter(({ method }) => method === 'initialize')).toHaveLength(1)
    expect(sent.filter(({ method }) => method === 'logging/setLevel').map(({ params }) => params.level)).toEqual([
      'warning',
      'debug',
    ])
    const calls = sent.filter(({ method }) => method === 'tools/call')
    // Two requests of the agent may have one id; in the session none do. Nothing of the other era goes there.
    expect(new Set(calls.map(({ id }) => id)).size).toBe(4)
    for (const { id, params } of calls) {
      expect(id).toMatch(/^dev\.remit\//)
      expect(Object.keys(params._meta)).toEqual(['traceparent'])
    }
    expect(server.requests.at(-1)?.headers).toMatchObject({
      'mcp-session-id': 'upstream-session',
      'mcp-protocol-version': '2025-06-18',
    })
    expect(server.requests.at(-1)?.headers['mcp-method']).toBeUndefined()
    const discovered = (await (await send(url, 'server/discover')).json()) as { result: object }
    expect(discovered.result).toMatchObject({ instructions: 'Be brief.', ttlMs: 0, cacheScope: 'private', _meta: INFO })
    const missing = await send(url, 'resources/read', { uri: 'note://none' })
    expect(await missing.json()).toMatchObject({ error: { code: -32602, message: 'none' } })
    const listed = (await (await send(url, 'tools/list')).json()) as { result: object }
    expect(listed.result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private', nextCursor: 'more' })
  })

  const REGION = { arguments: { text: 'hello', region: 'eu' } }
  const HEADED: [what: string, args: object, headers: Record<string, string>, status: number][] = [
    ['without the header', REGION, {}, 400],
    ['with another value in it', REGION, { 'mcp-param-region': 'us' }, 400],
    ['with the header of an argument it does not have', {}, { 'mcp-param-region': 'eu' }, 400],
    ['with the header', REGION, { 'mcp-param-region': 'eu' }, 200],
  ]
  it.each(HEADED)(
    'is held to the headers that the list it got asks for: a call %s',
    async (_what, args, headers, status) => {
      const desk = await startLegacyDesk(world)
      const policy = POLICY.slice(0, POLICY.indexOf('  pins:')).replace('[raw]', '[desk]')
      const gate = await openGate(world, {
        policy,
        servers: { desk: desk.url },
        dataDir: world.path(`data-${Math.random()}`),
      })
      const url = `${gate.url}/mcp/desk`
      expect(await (await send(url, 'tools/list')).text()).toContain('"x-mcp-header":"Region"')
      const response = await send(url, 'tools/call', { name: 'echo', ...args }, headers)
      const answer = (await response.json()) as { error?: { code: number } }
      expect([response.status, answer.error?.code]).toEqual([status, status === 200 ? undefined : -32020])
      expect(desk.calls.length).toBe(status === 200 ? 1 : 0)
      // They are between the agent and the gate; to a server with sessions they say nothing.
      expect(desk.requests.flatMap((request) => Object.keys(request.headers))).not.toContain('mcp-param-region')
    },
  )
})

describe('a call of a session at a server of 2026-07-28 that asks', () => {
  const world = createWorld()
  afterAll(() => world.close())
  const policy = (rule: string) => `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: all, namespace: payments}
spec:
  tools:
  - {name: ${rule}, match: {servers: [desk]}, effect: Allow}
  requests:
  - {name: questions, match: {servers: [desk], methods: [elicitation/create]}, effect: Allow}
`

  it('is answered by the session and by no other, and ends when the remit changed meanwhile', async () => {
    const desk = await startModernDesk(world)
    const gate = await openGate(world, { policy: policy('first'), servers: { desk: desk.url } })
    const url = `${gate.url}/mcp/desk`
    const begin = async () => {
      const response = await post(
        url,
        message(0, 'initialize', {
          protocolVersion: '2025-11-25',
          capabilities: { elicitation: {} },
          clientInfo: { name: 'raw', version: '1' },
        }),
      )
      return { 'mcp-session-id': response.headers.get('mcp-session-id')! }
    }
    const [session, other] = [await begin(), await begin()]
    const call = async () => {
      const response = await post(url, message(1, 'tools/call', { name: 'ask' }), session)
      const [asked] = await readUntil(response, /elicitation/)
      return { response, id: asked!.id as string }
    }
    const answer = async (id: string, by: Record<string, string>) => {
      const result = { action: 'accept', content: { street: 'Main Street' } }
      return (await post(url, JSON.stringify({ jsonrpc: '2.0', id, result }), by)).status
    }
    const first = await call()
    expect(await answer('made-up', session)).toBe(400)
    expect(await answer(first.id, other)).toBe(400)
    expect(await answer(first.id, session)).toBe(202)
    expect((await readUntil(first.response, /"result"/)).at(-1)).toMatchObject({
      id: 1,
      result: { content: [{ text: 'accept Main Street state of the desk' }] },
    })
    // What was answered is not asked any more.
    expect(await answer(first.id, session)).toBe(400)

    const second = await call()
    const digest = gate.digest()
    writeFileSync(world.path('policy.yaml'), policy('second'))
    await expect.poll(gate.digest, { timeout: 5_000 }).not.toBe(digest)
    const made = desk.requests.length
    expect(await answer(second.id, session)).toBe(202)
    expect((await readUntil(second.response, /"error"/)).at(-1)).toMatchObject({
      id: 1,
      error: { code: -32603, message: expect.stringContaining('remit changed') },
    })
    expect(desk.requests.length).toBe(made)
  })
})

describe('URLs that a server wants opened', () => {
  const world = createWorld()
  afterAll(() => world.close())
  const policy = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: all, namespace: payments}
spec:
  tools:
  - {name: all, match: {servers: [old, new]}, effect: Allow}
  requests:
  - name: sign-in
    match: {servers: [old, new], methods: [elicitation/create]}
    effect: Allow
    where: [{arg: mode, in: [url]}, {arg: url, prefix: "https://bank.example/"}]
`
  const asks = (url: string) => ({ mode: 'url', message: 'Sign in', url })

  it('are asked for in the form of the agent, and only those that a rule allows', async () => {
    let place = 'https://bank.example/in'
    const opened: unknown[] = []
    const old = await startRawServer(
      (call, response) => {
        opened.push(call.params)
        if (opened.length % 2 === 0) return answerWith(response, call.id, { content: [] })
        const elicitations = [{ ...asks(place), elicitationId: 'e-1' }]
        response.writeHead(200, { 'content-type': 'application/json' })
        const error = { code: -32042, message: 'first', data: { elicitations } }
        response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error }))
      },
      { 'server/discover': (_asked, response) => void response.writeHead(404).end() },
    )
    const modern = await startRawServer(
      (call, response) =>
        answerWith(
          response,
          call.id,
          call.params?.inputResponses === undefined
            ? {
                resultType: 'input_required',
                inputRequests: { in: { method: 'elicitation/create', params: asks(place) } },
              }
            : { resultType: 'complete', content: [] },
        ),
      {
        'server/discover': (asked, response) =>
          answerWith(response, asked.id, {
            resultType: 'complete',
            supportedVersions: [MODERN],
            capabilities: { tools: {} },
            ttlMs: 0,
            cacheScope: 'private',
          }),
      },
    )
    world.onClose(old.close)
    world.onClose(modern.close)
    const gate = await openGate(world, { policy, servers: { old: old.url, new: modern.url } })
    const capabilities = { elicitation: { url: {} } }

    const call = async (more: object = {}) => {
      const params = { name: 'anything', arguments: {}, _meta: meta(capabilities), ...more }
      return (await (await send(`${gate.url}/mcp/old`, 'tools/call', params)).json()) as {
        result: { resultType: string; requestState: string }
      }
    }
    const { result } = await call()
    expect(result).toEqual({
      resultType: 'input_required',
      inputRequests: { 1: { method: 'elicitation/create', params: asks(place) } },
      requestState: expect.any(String),
    })
    const again = await call({ requestState: result.requestState, inputResponses: { 1: { action: 'accept' } } })
    expect(again.result).toMatchObject({ resultType: 'complete' })
    // The server hears of it by the call being made again, and by nothing else.
    expect(opened[1]).toEqual({ name: 'anything', arguments: {}, _meta: { traceparent: expect.any(String) } })

    const begun = await post(
      `${gate.url}/mcp/new`,
      message(0, 'initialize', {
        protocolVersion: '2025-11-25',
        capabilities,
        clientInfo: { name: 'a', version: '1' },
      }),
    )
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id')! }
    const response = await post(`${gate.url}/mcp/new`, message(1, 'tools/call', { name: 'anything' }), session)
    const [asked] = await readUntil(response, /elicitation/)
    expect(asked).toMatchObject({ params: { ...asks(place), elicitationId: expect.stringMatching(/^[0-9a-f-]{36}$/) } })
    await post(
      `${gate.url}/mcp/new`,
      JSON.stringify({ jsonrpc: '2.0', id: asked!.id, result: { action: 'accept' } }),
      session,
    )
    expect((await readUntil(response, /"result"/)).at(-1)).toMatchObject({ id: 1, result: { content: [] } })

    place = 'https://evil.example/in'
    expect(await call()).toMatchObject({ error: { code: -32603 } })
    const refused = await post(`${gate.url}/mcp/new`, message(2, 'tools/call', { name: 'anything' }), session)
    expect(await refused.text()).toContain('-32603')
  })
})
