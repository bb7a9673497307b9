import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { createWorld, FIXTURE, follow, messagesOf, openSession, sleep, textOf, type World } from './bridge.ts'

describe('a client of 2025-11-25 before a server of 2025-11-25', () => {
  let world: World
  afterEach(() => world.close())
  const start = async (flags: string[] = []) => {
    world = createWorld()
    const bridge = await world.bridge(FIXTURE, flags)
    await bridge.ready()
    return bridge
  }

  it('has a process of its own, told what the client said of itself', async () => {
    const bridge = await start()
    const one = await openSession(bridge.url, { roots: {} })
    const other = await openSession(bridge.url)
    expect(one.opened.result).toMatchObject({ protocolVersion: '2025-11-25', serverInfo: { name: 'stdio-fixture' } })
    expect(textOf(await one.call('count'))).toBe('1')
    expect(textOf(await one.call('count'))).toBe('2')
    expect(textOf(await other.call('count'))).toBe('1')
    expect(JSON.parse(textOf(await one.call('client'))!)).toEqual({
      capabilities: { roots: {} },
      clientInfo: { name: 'test', version: '1' },
      version: '2025-11-25',
    })
  })

  it('gets everything letter by letter: unknown fields, large numbers, its own ids', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url)
    const response = await session.post({ id: 'a"b', method: 'tools/call', params: { name: 'big' } })
    expect(await response.text()).toContain(
      '"id":"a\\"b","result":{"content":[],"structuredContent":{"n":12345678901234567890,"e":1.0},"x-vendor":{"a":[1,{}]}}',
    )
    const [list] = await messagesOf(await session.post({ id: 1, method: 'tools/list' }))
    expect(list.result['x-page']).toBe(true)
    expect(list.result.tools[0]['x-vendor']).toEqual({ kept: 1 })
  })

  it('is told of progress under its own token, on the stream of the request', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url)
    const messages = await messagesOf(
      await session.post({
        id: 5,
        method: 'tools/call',
        params: { name: 'slow', arguments: {}, _meta: { progressToken: 'mine' } },
      }),
    )
    expect(messages.slice(0, 3).map(({ params }) => [params.progressToken, params.progress])).toEqual([
      ['mine', 1],
      ['mine', 2],
      ['mine', 3],
    ])
    expect(textOf(messages[3])).toBe('slowly')
  })

  it('answers what the server asks, once, and only what it asked', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url, { elicitation: {} })
    const response = await session.post({ id: 1, method: 'tools/call', params: { name: 'ask' } })
    const reader = response.body!.getReader()
    const asked = new TextDecoder().decode((await reader.read()).value)
    const question = JSON.parse(asked.split('data: ')[1]!)
    expect(question).toMatchObject({ id: 'q1', method: 'elicitation/create', params: { message: 'Your name?' } })
    const result = { action: 'accept', content: { name: 'Ada' } }
    expect((await session.post({ id: 'q1', result })).status).toBe(202)
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('Ada')
    expect((await session.post({ id: 'q1', result })).status).toBe(400)
    expect((await session.post({ id: 'q9', result })).status).toBe(400)
  })

  it('gets what belongs to no request on its GET stream, also what came before that', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url)
    const other = await openSession(bridge.url)
    const controllers = [new AbortController(), new AbortController()] as const
    const foreign = follow(await other.listen(controllers[1].signal))
    expect(textOf(await session.call('afterwards', { ms: 10 }))).toBe('soon')
    await sleep(100)
    const { messages } = follow(await session.listen(controllers[0].signal))
    await eventually(() => messages.length === 1)
    await session.call('afterwards', { ms: 50 })
    await eventually(() => messages.length === 2)
    expect(messages.map(({ method }) => method)).toEqual(Array(2).fill('notifications/tools/list_changed'))
    expect(foreign.messages).toEqual([])
    for (const controller of controllers) controller.abort()
  })

  it('is cancelled at the server', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url)
    const late = session.post({ id: 7, method: 'tools/call', params: { name: 'late', arguments: { ms: 20_000 } } })
    await sleep(100)
    // There is one request of an id at a time.
    expect((await session.post({ id: 7, method: 'tools/list' })).status).toBe(400)
    expect((await session.post({ method: 'notifications/cancelled', params: { requestId: 7 } })).status).toBe(202)
    await eventually(async () => textOf(await session.call('cancelled')) === '1')
    expect(await messagesOf(await late)).toEqual([])
  })

  it('is refused as the transport says', async () => {
    const bridge = await start()
    const session = await openSession(bridge.url)
    const status = async (init: RequestInit, headers: Record<string, string> = session.headers) =>
      (
        await fetch(bridge.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
          ...init,
        })
      ).status
    const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
    expect(await status({ body: ping })).toBe(200)
    expect(await status({ body: ping }, {})).toBe(400)
    expect(await status({ body: ping }, { 'mcp-session-id': 'nobody' })).toBe(404)
    expect(await status({ body: ping }, { ...session.headers, 'mcp-protocol-version': '1999-01-01' })).toBe(400)
    expect(await status({ body: ping }, { ...session.headers, 'mcp-protocol-version': '2025-06-18' })).toBe(400)
    expect(await status({ body: ping }, { ...session.headers, accept: 'application/json' })).toBe(406)
    expect(await status({ body: ping }, { ...session.headers, 'content-type': 'text/plain' })).toBe(415)
    expect(await status({ body: '{' })).toBe(400)
    expect(await status({ body: `[${ping}]` })).toBe(400)
    expect(await status({ body: '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}' })).toBe(400)
    expect(
      await status({ body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x', params: { x: 'x'.repeat(5e6) } }) }),
    ).toBe(413)
    expect((await fetch(bridge.url, { headers: { accept: 'text/event-stream' } })).status).toBe(405)
    expect((await session.remove()).status).toBe(200)
    expect(await status({ body: ping })).toBe(404)
  })

  it('makes room for another by the one that was idle longest, and goes when it is idle too long', async () => {
    const bridge = await start(['--max-children', '3', '--idle-timeout', '2'])
    const first = await openSession(bridge.url)
    await sleep(20)
    const second = await openSession(bridge.url)
    await first.call('count')
    const third = await openSession(bridge.url)
    expect((await second.post({ id: 1, method: 'ping' })).status).toBe(404)
    expect(textOf(await first.call('count'))).toBe('2')
    expect(textOf(await third.call('count'))).toBe('1')
    const busy = [first, third].map((session) => session.call('late', { ms: 5_000 }, 9))
    await sleep(100)
    const refused = await openSession(bridge.url)
    expect(refused.status).toBe(503)
    expect(refused.opened.error.message).toMatch(/All 3 processes of the server are busy/)
    await Promise.all(busy)
    // Whoever looks uses it.
    await sleep(4_000)
    expect((await first.post({ id: 1, method: 'ping' })).status).toBe(404)
  })
})

describe('--shared', () => {
  let world: World
  afterEach(() => world.close())
  it('serves all sessions by one process, and asks nobody', async () => {
    world = createWorld()
    const bridge = await world.bridge(FIXTURE, ['--shared'])
    await bridge.ready()
    const one = await openSession(bridge.url, { elicitation: {} })
    const other = await openSession(bridge.url)
    expect(textOf(await one.call('count'))).toBe('1')
    expect(textOf(await other.call('count'))).toBe('2')
    expect(textOf(await one.call('ask'))).toContain('-32601')
    const answers = await Promise.all([one.call('echo', { text: 'a' }, 4), other.call('echo', { text: 'b' }, 4)])
    expect(answers.map(textOf)).toEqual(['a', 'b'])
    expect(answers.map(({ id }) => id)).toEqual([4, 4])
  })
})
