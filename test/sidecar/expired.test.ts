import { afterAll, expect, it } from 'vitest'
import type { Remit } from '../../lib/api/remit.ts'
import { eventsOf, send } from './modern-agent.ts'
import { HEADERS, message, openSession, post } from './raw-agent.ts'
import { answerWith, startRawServer } from './raw-server.ts'
import { openUnder, remitFor } from './remit-gate.ts'
import { bodies, createWorld, readReceipts } from './world.ts'

const world = createWorld()
afterAll(() => world.close())

const HOUR = 3_600_000
const RULES: Remit['rules'] = [
  ...remitFor('').rules,
  { policy: 'p', mode: 'Enforce', type: 'resource', name: 'files', match: { uris: ['file:///*'] }, effect: 'Allow' },
]

it('an agent whose time is over can give up what it began, and do nothing else', async () => {
  const task = { taskId: 't', status: 'working', createdAt: 'now', lastUpdatedAt: 'now', ttl: null }
  const server = await startRawServer((call, response) => answerWith(response, call.id, { task }), {
    'tasks/cancel': ({ id }, response) => answerWith(response, id, { ...task, status: 'cancelled' }),
  })
  world.onClose(server.close)
  let ahead = 0
  const remit = remitFor(server.url, { rules: RULES, expiresAt: new Date(Date.now() + HOUR).toISOString() })
  const { url, dir } = await openUnder(world, remit, { now: () => Date.now() + ahead })
  const session = await openSession(url)
  const ask = async (method: string, params: object) => {
    const response = await post(url, message(7, method, params), session)
    return [response.status, (await response.json()) as { result?: object; error?: object }] as const
  }
  expect(await ask('tools/call', { name: 'slow', arguments: {}, task: {} })).toMatchObject([200, { result: { task } }])
  ahead = 2 * HOUR
  const before = server.requests.length
  for (const [method, params] of [
    ['tasks/get', { taskId: 't' }],
    ['tasks/result', { taskId: 't' }],
    ['tasks/list', {}],
    ['resources/read', { uri: 'file:///a' }],
    ['resources/list', {}],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'a' }, argument: { name: 'a', value: '' } }],
  ] as const)
    expect(await ask(method, params)).toMatchObject([403, { error: { data: { code: 'RemitExpired' } } }])
  expect(server.requests).toHaveLength(before)
  expect(await ask('tasks/cancel', { taskId: 't' })).toMatchObject([
    200,
    { result: { taskId: 't', status: 'cancelled' } },
  ])
  expect(bodies(readReceipts(dir), 'intent').at(-1)).toMatchObject({ call: { type: 'task', method: 'tasks/cancel' } })
  expect(bodies(readReceipts(dir), 'result').at(-1)?.outcome).toBe('ok')
})

it('what an agent says to a server does not leave when its time is over by then', async () => {
  const server = await startRawServer((call, response) => {
    const asked = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 's-1', ...asked })}\n\n`)
    setTimeout(() => {
      response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: call.id, result: { content: [] } })}\n\n`)
    }, 500)
  })
  world.onClose(server.close)
  let ahead = 0
  const remit = remitFor(server.url, {
    agent: { ...remitFor('').agent, name: 'asked' },
    rules: [
      ...RULES,
      {
        policy: 'p',
        mode: 'Enforce',
        type: 'request',
        name: 'ask',
        match: { methods: ['sampling/createMessage'] },
        effect: 'Allow',
      },
    ],
    expiresAt: new Date(Date.now() + HOUR).toISOString(),
  })
  const { url } = await openUnder(world, remit, { now: () => Date.now() + ahead })
  const session = await openSession(url)
  const called = await post(url, message(7, 'tools/call', { name: 'ask' }), session)
  const reader = called.body!.getReader()
  let text = ''
  while (!text.includes('createMessage')) text += Buffer.from((await reader.read()).value!).toString()
  const { id } = eventsOf(text).find(({ method }) => method === 'sampling/createMessage')!
  ahead = 2 * HOUR
  const said = { role: 'assistant', model: 'm', content: { type: 'text', text: 'secret' } }
  expect((await post(url, JSON.stringify({ jsonrpc: '2.0', id, result: said }), session)).status).toBe(202)
  await expect
    .poll(() => server.messages().at(-1))
    .toMatchObject({ id: 's-1', error: { message: 'The gate before this client withholds its answer.' } })
  await reader.cancel()
})

it('what an agent listens to is not opened again while it is suspended, and ends with its server', async () => {
  let listened = 0
  const server = await startRawServer(() => {}, {
    'server/discover': ({ id }, response) =>
      answerWith(response, id, { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} }),
    'subscriptions/listen': (_asked, response) => {
      listened++
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': over\n\n')
    },
  })
  world.onClose(server.close)
  const plain = await startRawServer(() => {})
  world.onClose(plain.close)
  const servers = [
    { name: 'raw', url: server.url },
    { name: 'plain', url: plain.url },
  ]
  const { agent } = remitFor('')
  const remit = remitFor(server.url, { rules: RULES, agent: { ...agent, name: 'listener' }, servers })
  const { url, authority } = await openUnder(world, remit)
  const subscribed = await send(url, 'subscriptions/listen', { notifications: { toolsListChanged: true } }, {}, 's')
  const other = url.replace('raw', 'plain')
  const streamed = await fetch(other, { headers: { ...HEADERS, ...(await openSession(other)) } })
  await expect.poll(() => listened, { timeout: 5_000 }).toBeGreaterThan(1)
  authority.accept({ ...remit, generation: 2, suspended: true })
  await new Promise((resolve) => setTimeout(resolve, 200))
  const before = listened
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(listened).toBe(before)
  authority.accept({ ...remit, generation: 3, servers: [{ ...servers[0]!, url: `${server.url}/elsewhere` }] })
  expect(await subscribed.text()).toContain('"resultType":"complete"')
  await streamed.text()
  expect(listened).toBe(before)
})
