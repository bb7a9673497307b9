import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { MODERN, meta, send } from './modern-agent.ts'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, type RawServer, startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts } from './world.ts'

/** Of a machine that is busy with other things. */
const PATIENT = { timeout: 5_000 }

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: all, namespace: payments}
spec:
  tools:
  - {name: all, match: {servers: [raw, other]}, effect: Allow}
  requests:
  - {name: questions, match: {servers: [raw, other], methods: [elicitation/create]}, effect: Allow}
`
const ELICIT = {
  method: 'elicitation/create',
  params: { mode: 'form', message: 'Well?', requestedSchema: { type: 'object', properties: {} } },
}
const ACCEPT = { action: 'accept', content: {} }
type Asked = { id: number; method: string; params?: Record<string, unknown> }

const discover = (asked: Asked, response: ServerResponse) =>
  answerWith(response, asked.id, {
    resultType: 'complete',
    supportedVersions: [MODERN],
    capabilities: { tools: {} },
    ttlMs: 0,
    cacheScope: 'private',
  })
const input = (requests: object, state?: string) => ({
  resultType: 'input_required',
  inputRequests: requests,
  ...(state === undefined ? {} : { requestState: state }),
})

describe('what a server of 2026-07-28 tries', () => {
  const world = createWorld()
  let gate: Standalone
  let server: RawServer
  let url: string
  let call: (asked: Asked, response: ServerResponse) => void
  let list: (asked: Asked, response: ServerResponse) => void
  const tools = (asked: Asked, response: ServerResponse) =>
    answerWith(response, asked.id, { resultType: 'complete', tools: [], ttlMs: 0, cacheScope: 'private' })
  const calls = () => server.messages().filter(({ method }) => method === 'tools/call')
  const outcomes = () => bodies(readReceipts(world.path('data')), 'result')

  beforeAll(async () => {
    server = await startRawServer((asked, response) => call(asked as Asked, response), {
      'server/discover': (asked, response) => discover(asked, response),
      'tools/list': (asked, response) => list(asked, response),
    })
    world.onClose(server.close)
    list = tools
    gate = await openGate(world, { policy: POLICY, servers: { raw: server.url, other: server.url } })
    url = `${gate.url}/mcp/raw`
  })
  afterAll(() => world.close())

  const modernCall = async (params: object = {}, capabilities: object = { elicitation: {} }) => {
    const response = await send(url, 'tools/call', {
      name: 'anything',
      arguments: {},
      _meta: meta(capabilities),
      ...params,
    })
    return (await response.json()) as {
      result?: { resultType: string; inputRequests?: object; requestState?: string; content?: unknown }
      error?: { code: number; message: string }
    }
  }
  const legacyCall = async () => {
    const session = await openSession(url)
    return (await (await post(url, message(1, 'tools/call', { name: 'anything' }), session)).json()) as object
  }

  const asks: [what: string, result: object][] = [
    [
      'asks for what no rule gives',
      input({ a: { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } } }),
    ],
    ['asks for what is no request of a server', input({ a: { method: 'tools/call', params: { name: 'refund' } } })],
    ['asks for something without form', input({ a: 'elicitation/create' })],
    [
      'asks for many things at once',
      input(Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, ELICIT]))),
    ],
  ]
  it.each(asks)('%s: the call fails, and the agent never sees it', async (_what, result) => {
    call = (asked, response) => answerWith(response, asked.id, result)
    const before = calls().length
    for (const answer of [await modernCall({}, { elicitation: {}, sampling: {} }), await legacyCall()])
      expect(answer).toMatchObject({ error: { code: -32603 } })
    expect(calls().length - before).toBe(2)
    expect(outcomes().at(-1)).toMatchObject({ outcome: 'error' })
  })

  it('asks a client that cannot be asked: the call fails', async () => {
    call = (asked, response) => answerWith(response, asked.id, input({ a: ELICIT }))
    expect(await modernCall({}, {})).toMatchObject({ error: { code: -32603 } })
  })

  it('asks where it may not: its answer is none', async () => {
    list = (asked, response) => answerWith(response, asked.id, { ...input({ a: ELICIT }), tools: [] })
    const response = await send(url, 'tools/list', { _meta: meta({ elicitation: {} }) })
    expect(await response.json()).toMatchObject({ error: { code: -32603, data: { code: 'UpstreamInvalid' } } })
    const session = await openSession(url)
    expect(await (await post(url, message(1, 'tools/list'), session)).json()).toMatchObject({ error: { code: -32603 } })
    list = tools
  })

  it('asks as servers of the older revisions do: nobody answers', async () => {
    call = (asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let id = 0; id < 1_000; id++)
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, ...ELICIT })}\n\n`)
      response.end(
        `data: ${JSON.stringify({ jsonrpc: '2.0', id: asked.id, result: { resultType: 'complete', content: [] } })}\n\n`,
      )
    }
    const before = server.requests.length
    expect(await modernCall()).toMatchObject({ result: { resultType: 'complete' } })
    // Not even as one of its own eras does it hear from the gate again.
    expect(server.requests.length - before).toBe(1)
  })

  it('says for ever that the headers are wrong: the call is made twice and no more', async () => {
    call = (asked, response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, error: { code: -32020, message: 'wrong' } }))
    }
    const before = calls().length
    expect(await modernCall()).toMatchObject({ error: { code: -32020 } })
    expect(calls().length - before).toBe(2)
  })

  it('asks a client with a session again and again: at some point that ends', async () => {
    call = (asked, response) => answerWith(response, asked.id, { resultType: 'input_required', requestState: 'more' })
    const before = calls().length
    expect(await legacyCall()).toMatchObject({ error: { code: -32603 } })
    expect(calls().length - before).toBe(16)
    // Each time as a request of its own.
    expect(
      new Set(
        calls()
          .slice(before)
          .map(({ id }) => id),
      ).size,
    ).toBe(16)
  })

  it('sends something else than an answer: the outcome says so', async () => {
    call = (_asked, response) => response.writeHead(400, { 'content-type': 'text/html' }).end('<h1>no</h1>')
    expect(await modernCall()).toMatchObject({
      result: { isError: true, _meta: { 'dev.remit/code': 'UpstreamInvalid' } },
    })
    expect(outcomes().at(-1)).toMatchObject({ outcome: 'invalid' })
  })

  it('refuses with what is too deep to be written again: the outcome says so', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    call = (asked, response) =>
      response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(`{"jsonrpc":"2.0","id":${asked.id},"error":{"code":-32602,"message":"no","data":${deep}}}`)
    expect(await modernCall()).toMatchObject({ result: { _meta: { 'dev.remit/code': 'UpstreamInvalid' } } })
    expect(outcomes().at(-1)).toMatchObject({ outcome: 'invalid' })
  })

  describe('and an agent with the state of a call', () => {
    let state = ''
    const STATE = 'of the server: \u00e9 "quoted"'
    it('gets one of the gate', async () => {
      call = (asked, response) =>
        answerWith(
          response,
          asked.id,
          asked.params?.requestState === undefined
            ? input({ a: ELICIT, b: ELICIT }, STATE)
            : { resultType: 'complete', content: [{ type: 'text', text: JSON.stringify(asked.params) }] },
        )
      const { result } = await modernCall()
      expect(result?.inputRequests).toEqual({ a: ELICIT, b: ELICIT })
      state = result!.requestState!
      expect(state).not.toContain('server')
    })

    const ANSWERS = { a: ACCEPT, b: ACCEPT }
    it.each<[string, object]>([
      ['other arguments', { arguments: { amount: 1 } }],
      ['another tool', { name: 'something' }],
      ['a changed state', { requestState: () => `${state.slice(0, -2)}AA` }],
      ['no state', { requestState: undefined }],
      ['answers that are none', { inputResponses: { a: 'yes' } }],
      ['a list of answers', { inputResponses: [ACCEPT] }],
    ])('with %s is refused, and nothing leaves', async (_what, params) => {
      const before = { sent: server.requests.length, receipts: readReceipts(world.path('data')).length }
      const all: Record<string, unknown> = { requestState: state, inputResponses: ANSWERS, ...params }
      if (typeof all.requestState === 'function') all.requestState = all.requestState()
      const name = String(all.name ?? 'anything')
      const response = await send(url, 'tools/call', { name, arguments: {}, _meta: meta({ elicitation: {} }), ...all })
      expect([response.status, await response.json()]).toMatchObject([200, { error: { code: -32602 } }])
      expect({ sent: server.requests.length, receipts: readReceipts(world.path('data')).length }).toEqual(before)
    })

    it.each([
      ['answers', { InputResponses: { a: ACCEPT } }],
      ['a state', { REQUESTSTATE: 'mine' }],
    ])('with %s once more, for a server that ignores case, is refused', async (_what, params) => {
      const before = server.requests.length
      const all = { name: 'anything', arguments: {}, requestState: state, inputResponses: ANSWERS, ...params }
      const response = await send(url, 'tools/call', { ...all, _meta: meta({ elicitation: {} }) })
      expect([response.status, await response.json()]).toMatchObject([400, { error: { code: -32600 } }])
      expect(server.requests.length).toBe(before)
    })

    it('at another server is refused', async () => {
      const params = { name: 'anything', arguments: {}, requestState: state, inputResponses: ANSWERS }
      const response = await send(`${gate.url}/mcp/other`, 'tools/call', {
        ...params,
        _meta: meta({ elicitation: {} }),
      })
      expect(await response.json()).toMatchObject({ error: { code: -32602 } })
    })

    it('has no session by it', async () => {
      const before = server.requests.length
      const as = { 'mcp-session-id': state, 'mcp-protocol-version': '2025-11-25' }
      expect((await post(url, message(1, 'tools/list'), as)).status).toBe(404)
      expect(server.requests.length).toBe(before)
    })

    it('for too long is refused', async () => {
      const short = createWorld()
      try {
        const servers = { raw: server.url }
        const other = await openGate(short, { policy: POLICY, servers, limits: { inputMs: 1 } })
        const params = { name: 'anything', arguments: {}, _meta: meta({ elicitation: {} }) }
        const ask = async (more: object = {}) =>
          (await (await send(`${other.url}/mcp/raw`, 'tools/call', { ...params, ...more })).json()) as {
            result?: { requestState: string }
          }
        const { requestState } = (await ask()).result!
        await new Promise((resolve) => setTimeout(resolve, 20))
        const before = server.requests.length
        expect(await ask({ requestState, inputResponses: ANSWERS })).toMatchObject({
          error: { code: -32602, message: expect.stringContaining('too old') },
        })
        expect(server.requests.length).toBe(before)
      } finally {
        await short.close()
      }
    })

    it('gets nothing to the server but answers to what it asked, and its state as it was', async () => {
      const inputResponses = { a: ACCEPT, c: { action: 'accept', content: { smuggled: true } } }
      const { result } = await modernCall({ requestState: state, inputResponses })
      const { params } = calls().at(-1)!
      expect([params.requestState, params.inputResponses]).toEqual([STATE, { a: ACCEPT }])
      expect(result).toMatchObject({ resultType: 'complete' })
    })

    it('of the older revisions gets nothing to the server by that way at all', async () => {
      const session = await openSession(url)
      const params = { name: 'anything', inputResponses: { a: ACCEPT }, requestState: 'mine' }
      await (await post(url, message(7, 'tools/call', params), session)).text()
      const first = calls().findLast(({ id }) => id === 7)
      expect(first?.params.inputResponses).toBeUndefined()
      expect(first?.params.requestState).toBeUndefined()
    })
  })
})

describe('which era a server is of', () => {
  const world = createWorld()
  afterAll(() => world.close())

  const begin = async (
    answer: (asked: Asked, response: ServerResponse) => void,
    others: Parameters<typeof startRawServer>[1] = {},
  ) => {
    const server = await startRawServer((asked, response) => answerWith(response, asked.id, { content: [] }), {
      'server/discover': answer,
      ...others,
    })
    world.onClose(server.close)
    const gate = await openGate(world, {
      policy: POLICY,
      servers: { raw: server.url },
      dataDir: world.path(`data-${Math.random()}`),
      limits: { idleMs: 300 },
    })
    return { server, url: `${gate.url}/mcp/raw` }
  }
  const json = (response: ServerResponse, status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', ...body }))
  const error = (code: number, data?: object) => ({
    id: null,
    error: { code, message: 'no', ...(data ? { data } : {}) },
  })

  it.each<[string, (asked: Asked, response: ServerResponse) => void]>([
    ['nothing', () => {}],
    ['garbage', (_asked, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hi</h1>')],
    ['a hang-up', (_asked, response) => response.destroy()],
    ['404', (_asked, response) => response.writeHead(404).end()],
    ['500', (_asked, response) => response.writeHead(500).end()],
    ['an error of its SDK', (_asked, response) => json(response, 400, error(-32000))],
    ['an unknown method', (asked, response) => json(response, 200, { ...error(-32601), id: asked.id })],
    [
      'other versions only',
      (_asked, response) => json(response, 400, error(-32022, { supported: ['2025-11-25'], requested: MODERN })),
    ],
    ['far too much', (_asked, response) => response.writeHead(400).end('x'.repeat(1024 * 1024))],
    ['a result of another kind', (asked, response) => answerWith(response, asked.id, { supportedVersions: 'all' })],
  ])('%s to the question is one with sessions', async (_what, answer) => {
    const { server, url } = await begin(answer)
    const response = await send(url, 'tools/call', { name: 'anything' })
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: {
        resultType: 'complete',
        content: [],
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'raw', version: '1' } },
      },
    })
    expect(server.messages().map(({ method }) => method)).toEqual([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'tools/call',
    ])
  })

  it('is asked once, and again when it behaves as one of the other', async () => {
    let modern = true
    const unsupported = error(-32022, { supported: [MODERN], requested: '2025-11-25' })
    const tools = (asked: Asked, response: ServerResponse, request: IncomingMessage) => {
      const isModern = request.headers['mcp-method'] !== undefined
      if (isModern !== modern) return json(response, 400, modern ? unsupported : error(-32000))
      return answerWith(response, asked.id, { tools: [], ...(modern ? { resultType: 'complete', ttlMs: 0 } : {}) })
    }
    const { server, url } = await begin(
      (asked, response) => (modern ? discover(asked, response) : json(response, 400, error(-32000))),
      { 'tools/list': tools },
    )
    const asked = () => server.messages().filter(({ method }) => method === 'server/discover').length
    const ask = async () => (await (await send(url, 'tools/list')).json()) as object
    for (let i = 0; i < 3; i++) expect(await ask()).toMatchObject({ result: { tools: [] } })
    expect(asked()).toBe(1)
    modern = false
    expect(await ask()).toMatchObject({ error: { data: { code: 'UpstreamInvalid' } } })
    for (let i = 0; i < 3; i++) expect(await ask()).toMatchObject({ result: { tools: [] } })
    expect(asked()).toBe(2)
    // And back, for an agent in a session: it is over, and the next one is with a server of the other era.
    const session = await openSession(url)
    modern = true
    expect((await post(url, message(1, 'tools/list'), session)).status).toBe(404)
    expect((await post(url, message(1, 'tools/list'), await openSession(url))).status).toBe(200)
  })
})

describe('a call that is kept open while the agent is asked', () => {
  const world = createWorld()
  afterAll(() => world.close())

  it('is given up when no answer comes, at the server too, and cannot be gone on with', async () => {
    const open = new Set<ServerResponse>()
    const server = await startRawServer(
      (asked, response) => {
        open.add(response)
        response.once('close', () => open.delete(response))
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 'q-1', ...ELICIT })}\n\n`)
        if (asked.params?.name !== 'twice') return
        response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 'q-2', ...ELICIT })}\n\n`)
      },
      { 'server/discover': (_asked, response) => void response.writeHead(404).end() },
    )
    world.onClose(server.close)
    const gate = await openGate(world, { policy: POLICY, servers: { raw: server.url }, limits: { inputMs: 2_000 } })
    const call = async (params: object, name = 'anything') => {
      const all = { name, arguments: {}, _meta: meta({ elicitation: {} }), ...params }
      return (await (await send(`${gate.url}/mcp/raw`, 'tools/call', all)).json()) as {
        result: { requestState: string; inputRequests: Record<string, object> }
      }
    }
    let { result } = await call({}, 'twice')
    // On a slow disk the second is asked for later; a call that answers nothing is told again what is asked.
    while (Object.keys(result.inputRequests).length < 2)
      result = (await call({ requestState: result.requestState }, 'twice')).result
    expect(Object.values(result.inputRequests)).toEqual([ELICIT, ELICIT])
    // One of two answers: the other is asked for again, and two at a time go on with nothing.
    const [key] = Object.keys(result.inputRequests)
    const inputResponses = { [key!]: ACCEPT }
    const again = await call({ requestState: result.requestState, inputResponses }, 'twice')
    expect(Object.keys(again.result.inputRequests)).toEqual(Object.keys(result.inputRequests).slice(1))
    const heard = () => server.messages().filter(({ result }) => result !== undefined)
    await expect.poll(heard, PATIENT).toMatchObject([{ id: 'q-1', result: ACCEPT }])

    const receipts = () => readReceipts(world.path('data'))
    await expect.poll(() => open.size, { timeout: 10_000 }).toBe(0)
    await expect
      .poll(() => server.messages().filter(({ method }) => method === 'notifications/cancelled').length, PATIENT)
      .toBe(1)
    const asked = bodies(receipts(), 'intent').filter(({ call: { type } }) => type === 'request')
    expect(asked).toHaveLength(2)
    await expect
      .poll(
        () => bodies(receipts(), 'result').flatMap(({ outcome }) => (outcome === 'input' ? [] : [outcome])),
        PATIENT,
      )
      .toEqual(['ok', 'cancelled'])
    const late = await call({ requestState: again.result.requestState, inputResponses }, 'twice')
    expect(late).toMatchObject({ error: { code: -32602 } })
    expect(heard()).toHaveLength(1)
  })
})
