import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Standalone } from '../../sidecar/standalone.ts'
import { startModernDesk } from './desks.ts'
import { eventsOf, MODERN, send } from './modern-agent.ts'
import { HEADERS, message, openSession, post } from './raw-agent.ts'
import { answerWith, type RawServer, startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts } from './world.ts'

const initialize = (protocolVersion: string) =>
  message(0, 'initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'raw', version: '1' } })

describe('the ways clients open and go on', () => {
  const world = createWorld()
  let server: RawServer
  let silent: RawServer
  let sleepy: RawServer
  let gate: Standalone
  let url: string
  let answering: (response: ServerResponse, id: number) => void = (response, id) =>
    answerWith(response, id, { content: [] })

  beforeAll(async () => {
    server = await startRawServer((call, response) => answering(response, call.id))
    silent = await startRawServer(() => {}, { 'server/discover': () => {} })
    sleepy = await startRawServer(() => {}, {
      'server/discover': ({ id }, response) => {
        const asked = sleepy.messages().filter(({ method }) => method === 'server/discover')
        if (asked.length === 1) return
        answerWith(response, id, { resultType: 'complete', supportedVersions: [MODERN], capabilities: { tools: {} } })
      },
      initialize: ({ id }, response) => {
        const error = { code: -32022, message: 'Unsupported', data: { supported: [MODERN], requested: '2025-11-25' } }
        response.writeHead(400, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ jsonrpc: '2.0', id, error }))
      },
    })
    for (const { close } of [server, silent, sleepy]) world.onClose(close)
    const desk = await startModernDesk(world)
    const policy = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: all, namespace: payments}
spec:
  tools:
  - {name: all, match: {servers: [raw, silent, sleepy, desk]}, effect: Allow}
`
    gate = await openGate(world, {
      policy,
      servers: { raw: server.url, silent: silent.url, sleepy: sleepy.url, desk: desk.url },
    })
    url = `${gate.url}/mcp/raw`
  })
  afterAll(() => world.close())
  const outcome = () => bodies(readReceipts(world.path('data')), 'result').at(-1)?.outcome

  it.each([
    ['raw', '2025-11-25'],
    ['desk', '2025-11-25'],
  ])('initialize of %s asks for a newer version: the newest with sessions is answered', async (name, newest) => {
    for (const version of [MODERN, '2031-01-01']) {
      const response = await post(`${gate.url}/mcp/${name}`, initialize(version))
      expect(await response.json()).toMatchObject({ result: { protocolVersion: newest } })
      expect(response.headers.get('mcp-session-id')).toBeTruthy()
    }
    const older = await post(`${gate.url}/mcp/${name}`, initialize('2025-06-18'))
    expect(await older.json()).toMatchObject({ result: { protocolVersion: '2025-06-18' } })
  })

  it('servers that are silent when they are asked their era open within five seconds, and are asked in vain once', async () => {
    const began = Date.now()
    const open = async (name: string) => {
      const response = await post(`${gate.url}/mcp/${name}`, initialize('2025-11-25'))
      expect(await response.json()).toMatchObject({ result: { protocolVersion: '2025-11-25' } })
    }
    // The sleepy one is of 2026-07-28, which shows when it refuses a session.
    await Promise.all([open('silent'), open('sleepy')])
    await Promise.all([open('silent'), open('sleepy')])
    expect(Date.now() - began).toBeLessThan(5_000)
    const asked = (server: RawServer, wanted: string) =>
      server.messages().filter(({ method }) => method === wanted).length
    expect([asked(silent, 'server/discover'), asked(sleepy, 'initialize')]).toEqual([1, 1])
  })

  it('a stream before there is a session is told that there is none', async () => {
    const response = await fetch(url, { headers: { accept: 'text/event-stream' } })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })

  it('a notification that names no session is taken, and goes nowhere', async () => {
    const before = server.requests.length
    const response = await post(url, message(undefined, 'notifications/initialized'))
    expect([response.status, server.requests.length]).toEqual([202, before])
  })

  it('a version that is named twice is that version', async () => {
    const session = await openSession(url)
    for (const version of ['2025-11-25, 2025-11-25', '2025-06-18, 2025-11-25']) {
      const headers = { ...session, 'mcp-protocol-version': version }
      expect((await post(url, message(1, 'tools/list'), headers)).status).toBe(200)
    }
    const other = { ...session, 'mcp-protocol-version': '2025-11-25, 2024-11-05' }
    expect((await post(url, message(1, 'tools/list'), other)).status).toBe(400)
    const twice = { 'mcp-protocol-version': `${MODERN}, ${MODERN}` }
    expect((await send(`${gate.url}/mcp/desk`, 'tools/list', {}, twice)).status).toBe(200)
  })

  it('a stream that broke off goes on after the last event that came through', async () => {
    let finish = () => {}
    answering = (response, id) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const tell = (message: object) => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
      const progress = (progress: number) =>
        tell({ method: 'notifications/progress', params: { progressToken: 't', progress } })
      progress(1)
      progress(2)
      finish = () => {
        progress(3)
        tell({ id, result: { content: [] } })
        response.end()
      }
    }
    const session = await openSession(url)
    const controller = new AbortController()
    const first = await fetch(url, {
      method: 'POST',
      headers: { ...HEADERS, ...session },
      body: message(1, 'tools/call', { name: 'anything', _meta: { progressToken: 't' } }),
      signal: controller.signal,
    })
    const reader = first.body!.getReader()
    let seen = ''
    while (!/"progress":1/.test(seen)) seen += Buffer.from((await reader.read()).value!).toString()
    const last = /^id: (.*)$/m.exec(seen)![1]!
    controller.abort()
    await new Promise((resolve) => setTimeout(resolve, 50))
    finish()
    const listen = { ...session, accept: 'text/event-stream', 'last-event-id': last }
    const other = { ...(await openSession(url)), accept: 'text/event-stream', 'last-event-id': last }
    // Of another session it is none.
    expect(eventsOf(await (await fetch(url, { headers: other })).text())).toMatchObject([
      { id: 1, error: { data: { code: 'AnswerLost' } } },
    ])
    const rest = eventsOf(await (await fetch(url, { headers: listen })).text())
    expect(rest).toMatchObject([{ params: { progress: 2 } }, { params: { progress: 3 } }, { id: 1, result: {} }])
    expect(outcome()).toBe('ok')
    expect(server.messages().filter(({ method }) => method === 'notifications/cancelled')).toEqual([])
    // The answer can have been lost on the way too, and comes once more; after it there is nothing.
    const again = await (await fetch(url, { headers: listen })).text()
    expect(eventsOf(again)).toEqual(rest)
    const end = /^id: (.*)$/gm
    const ids = [...again.matchAll(end)].map(([, id]) => id!)
    expect((await fetch(url, { headers: { ...listen, 'last-event-id': ids.at(-1)! } })).status).toBe(405)
    expect((await fetch(url, { headers: { ...listen, 'last-event-id': '7' } })).status).toBe(400)
  })

  it('a stream tells of changed lists when the remit changes, in both eras', async () => {
    const session = await openSession(url)
    const controller = new AbortController()
    const { signal } = controller
    const listening = await fetch(url, { headers: { ...session, accept: 'text/event-stream' }, signal })
    const wanted = { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['file:///a'] }
    const response = await send(`${gate.url}/mcp/desk`, 'subscriptions/listen', { notifications: wanted }, {}, 'sub-1')
    const [streamed, subscribed] = [listening, response].map(({ body }) => body!.getReader())
    const read = async (reader: typeof streamed, until: RegExp) => {
      let text = ''
      while (!until.test(text)) text += Buffer.from((await reader!.read()).value!).toString()
      return eventsOf(text)
    }
    const _meta = { 'io.modelcontextprotocol/subscriptionId': 'sub-1' }
    // What no rule gives it is not told of.
    expect(await read(subscribed, /acknowledged/)).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: { toolsListChanged: true }, _meta },
      },
    ])
    writeFileSync(
      world.path('policy.yaml'),
      `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: all, namespace: payments}
spec:
  tools:
  - {name: fewer, match: {servers: [raw, desk]}, effect: Allow}
`,
    )
    expect(await read(subscribed, /list_changed/)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta } },
    ])
    expect((await read(streamed, /tools\/list_changed/))[0]).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
    })
    controller.abort()
    await subscribed!.cancel()
  })
})
