import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { type EventStore, StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  CallToolRequestSchema,
  ListToolsRequestSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentProgress } from '../../tools/progress.ts'
import { ensureVenv } from '../compat/envs/python.ts'
import { startProcess } from '../harness/process.ts'
import { startCutter } from './cutter.ts'
import { eventsOf } from './modern-agent.ts'
import { HEADERS, message, openSession, post } from './raw-agent.ts'
import { bodies, createWorld, openGate, readReceipts, textOf, type World } from './world.ts'

const PATIENT = { timeout: 10_000 }
const moment = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The SDK's own example cannot tell the stream of a session by its events. */
const keepEvents = (): EventStore => {
  const events: Parameters<EventStore['storeEvent']>[] = []
  return {
    storeEvent: async (...event) => `${events.push(event) - 1}`,
    replayEventsAfter: async (last, { send }) => {
      const [stream = ''] = events[Number(last)] ?? []
      for (const [index, [of, message]] of events.entries())
        if (of === stream && index > Number(last)) await send(`${index}`, message)
      return stream
    },
  }
}

/** A server on the official SDK that keeps its events for clients that come back. */
const startKeeping = async (world: World) => {
  const made: { tool: string; server: Server }[] = []
  let proceed: (() => void)[] = []
  const begin = async () => {
    const server = new Server({ name: 'keeping', version: '1' }, { capabilities: { tools: { listChanged: true } } })
    server.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: ['count', 'quiet'].map((name) => ({ name, inputSchema: { type: 'object' as const } })),
    }))
    server.setRequestHandler(CallToolRequestSchema, async ({ params }, { _meta, sendNotification }) => {
      made.push({ tool: params.name, server })
      const tell = (progress: number) =>
        sendNotification({
          method: 'notifications/progress',
          params: { progressToken: _meta?.progressToken ?? 'none', progress },
        })
      if (params.name === 'count') await tell(1)
      await new Promise<void>((resolve) => proceed.push(resolve))
      if (params.name === 'count') {
        await tell(2)
        await tell(3)
      }
      return { content: [{ type: 'text', text: `${params.name} done` }] }
    })
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: keepEvents(),
      retryInterval: 50,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    })
    await server.connect(transport)
    return transport
  }
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const gets: (string | undefined)[] = []
  const cancelled: unknown[] = []
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined
    if (request.method === 'GET') gets.push(request.headers['last-event-id'] as string | undefined)
    if (body?.method === 'notifications/cancelled') cancelled.push(body.params.requestId)
    const id = request.headers['mcp-session-id']
    const transport =
      (typeof id === 'string' ? sessions.get(id) : undefined) ?? (id === undefined ? await begin() : undefined)
    if (!transport) return void response.writeHead(404).end()
    await transport.handleRequest(request, response, body)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  world.onClose(
    () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  )
  return {
    port: (http.address() as AddressInfo).port,
    /** Tools that were called, in order. */
    made,
    gets,
    cancelled,
    proceed: () => {
      for (const go of proceed) go()
      proceed = []
    },
  }
}

let world: World
let server: Awaited<ReturnType<typeof startKeeping>>
let cutServer: () => void
let cutAgent: () => void
let url: string
let direct: string
beforeEach(async () => {
  world = createWorld()
  server = await startKeeping(world)
  const before = await startCutter(world, server.port)
  const gate = await openGate(world, {
    servers: { raw: `http://127.0.0.1:${before.port}/mcp` },
    limits: { returnMs: 4_000 },
  })
  const behind = await startCutter(world, gate.port)
  cutServer = before.cut
  cutAgent = behind.cut
  url = `http://127.0.0.1:${behind.port}/mcp/raw`
  direct = `${gate.url}/mcp/raw`
})
afterEach(() => world.close())
const results = () => bodies(readReceipts(world.path('data')), 'result')
const isMade = (count = 1) => expect.poll(() => server.made.length, PATIENT).toBe(count)

describe('an agent on the official SDK whose connections break', () => {
  const connect = async () => {
    const client = new Client({ name: 'agent-of-the-test', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(new URL(url)))
    world.onClose(() => client.close())
    return client
  }

  it.each(['count', 'quiet'])('goes on with its call of %s, and misses nothing', async (name) => {
    const client = await connect()
    const heard: number[] = []
    const call = client.callTool({ name, arguments: {} }, undefined, {
      onprogress: ({ progress }) => heard.push(progress),
    })
    await isMade()
    // Until there is something to come back with: the first event, or the one that says nothing after two seconds.
    if (name === 'count') await expect.poll(() => heard, PATIENT).toEqual([1])
    else await moment(2_300)
    cutAgent()
    await moment(100)
    server.proceed()
    expect(textOf((await call) as { content?: unknown })).toBe(`${name} done`)
    expect(heard).toEqual(name === 'count' ? [1, 2, 3] : [])
    expect(results()).toMatchObject([{ outcome: 'ok', text: `${name} done` }])
    expect([server.made.length, server.cancelled]).toEqual([1, []])
  })

  it('hears what its server said of its own accord meanwhile, and what it says after', async () => {
    const client = await connect()
    let heard = 0
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard++)
    await expect.poll(() => server.gets.length, PATIENT).toBe(1)
    const call = client.callTool({ name: 'quiet', arguments: {} })
    await isMade()
    server.proceed()
    await call
    cutAgent()
    await moment(100)
    await server.made[0]!.server.sendToolListChanged()
    await expect.poll(() => heard, PATIENT).toBe(1)
    await server.made[0]!.server.sendToolListChanged()
    await expect.poll(() => heard, PATIENT).toBe(2)
    // The server's own stream was never broken.
    expect(server.gets).toEqual([undefined])
  })
})

it('an agent on the Python SDK goes on with its call, and misses nothing', async () => {
  const venv = await ensureVenv('mcp', silentProgress)
  const script = `
import asyncio, sys
from mcp import Client
async def main():
    async with Client(sys.argv[1], mode="legacy") as client:
        heard = []
        async def on_progress(progress, *_):
            heard.append(progress)
        result = await client.call_tool("count", {}, progress_callback=on_progress)
        print(result.content[0].text, [int(progress) for progress in heard], flush=True)
asyncio.run(main())
`
  const log = world.path('python.log')
  const agent = await startProcess({ command: join(venv, 'bin/python'), args: ['-c', script, url], logFile: log })
  world.onClose(() => agent.stop(1_000))
  await expect.poll(() => server.made.length, { timeout: 30_000 }).toBe(1)
  await moment(300)
  cutAgent()
  await moment(100)
  server.proceed()
  expect(await agent.exited).toBe(0)
  await expect.poll(() => readFileSync(log, 'utf8'), PATIENT).toContain('count done [1, 2, 3]')
  expect(results()).toMatchObject([{ outcome: 'ok' }])
}, 60_000)

describe('a server that keeps its events, whose connections break', () => {
  const session = () => openSession(direct)

  it('is asked for the rest of a call, which is made once', async () => {
    const headers = await session()
    const answer = post(direct, message(1, 'tools/call', { name: 'count', _meta: { progressToken: 't' } }), headers)
    await isMade()
    await moment(100)
    cutServer()
    await moment(100)
    server.proceed()
    const events = eventsOf(await (await answer).text())
    expect(events).toMatchObject([1, 2, 3].map((progress) => ({ params: { progress } })).concat([{ id: 1 } as never]))
    expect(results()).toMatchObject([{ outcome: 'ok' }])
    expect([server.made.length, server.cancelled]).toEqual([1, []])
  })

  it('is asked for the rest of what it says of its own accord; the agent notices nothing', async () => {
    const headers = await session()
    const controller = new AbortController()
    const stream = await fetch(direct, {
      headers: { ...headers, accept: 'text/event-stream' },
      signal: controller.signal,
    })
    const reader = stream.body!.getReader()
    let text = ''
    const heard = async (count: number) => {
      while ((text.match(/list_changed/g) ?? []).length < count) text += Buffer.from((await reader.read()).value!)
    }
    const call = post(direct, message(1, 'tools/call', { name: 'quiet' }), headers)
    await isMade()
    server.proceed()
    await (await call).text()
    await server.made[0]!.server.sendToolListChanged()
    await heard(1)
    cutServer()
    await server.made[0]!.server.sendToolListChanged()
    await heard(2)
    expect(server.gets).toEqual([undefined, expect.any(String)])
    controller.abort()
  })
})

describe('an agent that comes back', () => {
  const begin = async (name: string, headers: Record<string, string>, id: number | string) => {
    const controller = new AbortController()
    const response = await fetch(direct, {
      method: 'POST',
      headers: { ...HEADERS, ...headers },
      body: message(id, 'tools/call', { name, _meta: { progressToken: 't' } }),
      signal: controller.signal,
    })
    const { value } = await response.body!.getReader().read()
    controller.abort()
    return {
      last: /^id: (.*)$/m.exec(Buffer.from(value!).toString())![1]!,
      receipt: response.headers.get('remit-receipt'),
    }
  }
  const back = async (headers: Record<string, string>, last: string) =>
    eventsOf(
      await (
        await fetch(direct, { headers: { ...headers, accept: 'text/event-stream', 'last-event-id': last } })
      ).text(),
    )

  it('gets of two streams the one it asks for', async () => {
    const headers = await openSession(direct)
    const [two, one] = [await begin('quiet', headers, 2), await begin('count', headers, 1)]
    server.proceed()
    expect(await back(headers, two.last)).toMatchObject([{ id: 2, result: { content: [{ text: 'quiet done' }] } }])
    expect(await back(headers, one.last)).toMatchObject([
      { params: { progress: 2 } },
      { params: { progress: 3 } },
      { id: 1 },
    ])
    // A slow call names its receipt as any other does.
    expect(two.receipt).toMatch(/^[0-9a-f]{12}-\d+$/)
  })

  it('hears each thing on one of its streams, the newest that is connected; all end with the session', async () => {
    const headers = await openSession(direct)
    const open = async () => {
      const controller = new AbortController()
      const { signal } = controller
      const stream = await fetch(direct, { headers: { ...headers, accept: 'text/event-stream' }, signal })
      let text = ''
      const over = stream.body!.pipeTo(
        new WritableStream({
          write: (chunk) => {
            text += Buffer.from(chunk).toString()
          },
        }),
      )
      over.catch(() => {})
      return { heard: () => text.match(/list_changed/g)?.length ?? 0, over, drop: () => controller.abort() }
    }
    const call = post(direct, message(1, 'tools/call', { name: 'quiet' }), headers)
    await isMade()
    server.proceed()
    await (await call).text()
    const changed = () => server.made[0]!.server.sendToolListChanged()
    const [first, second] = [await open(), await open()]
    await changed()
    await expect.poll(second.heard, PATIENT).toBe(1)
    second.drop()
    await moment(200)
    await changed()
    await expect.poll(first.heard, PATIENT).toBe(1)
    expect([second.heard(), server.gets]).toEqual([1, [undefined]])
    await fetch(direct, { method: 'DELETE', headers })
    await first.over
  })

  it('too late is told that there is nothing to wait for, and the record says that the call was given up', async () => {
    const dataDir = world.path('late')
    const gate = await openGate(world, {
      servers: { raw: `http://127.0.0.1:${server.port}/mcp` },
      limits: { returnMs: 300 },
      dataDir,
    })
    direct = `${gate.url}/mcp/raw`
    const headers = await openSession(direct)
    const { last } = await begin('count', headers, 'late')
    const outcomes = () => bodies(readReceipts(dataDir), 'result').map(({ outcome }) => outcome)
    await expect.poll(outcomes, PATIENT).toEqual(['cancelled'])
    await expect.poll(() => server.cancelled, PATIENT).toEqual(['late'])
    expect(await back(headers, last)).toMatchObject([{ id: 'late', error: { data: { code: 'AnswerLost' } } }])
  })
})
