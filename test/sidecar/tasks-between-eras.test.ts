import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { meta, send } from './modern-agent.ts'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, type RawServer, startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts, startEverything, textOf } from './world.ts'

const EXTENSION = 'io.modelcontextprotocol/tasks'
const PATIENT = { timeout: 20_000 }
const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: all, namespace: lab}
spec:
  tools:
  - {name: tools, match: {servers: [raw, everything]}, effect: Allow}
  requests:
  - {name: forms, match: {servers: [raw, everything], methods: [elicitation/create]}, effect: Allow, where: [{arg: mode, in: [form]}]}
`
type Json = Record<string, unknown>

describe('an agent of 2025-11-25 at a server of 2026-07-28 that has tasks', () => {
  const world = createWorld()
  afterAll(() => world.close())
  let server: RawServer
  let client: Client
  let url: string
  /** What its tasks have come to, by their ids. */
  const tasks = new Map<string, Json>()
  const seen: unknown[] = []
  /** What it says at once, where it is something else. */
  let atOnce = ''
  const receipts = () => readReceipts(world.path('data'))
  const results = () => bodies(receipts(), 'result')
  const text = (said: string, isError = false) => ({
    content: [{ type: 'text', text: said }],
    ...(isError ? { isError } : {}),
  })
  const task = (taskId: string) => ({
    taskId,
    status: 'working',
    createdAt: '2026-08-01T00:00:00Z',
    lastUpdatedAt: '2026-08-01T00:00:00Z',
    ttlMs: 60_000,
    pollIntervalMs: 50,
    ...tasks.get(taskId),
  })
  const QUESTION = {
    method: 'elicitation/create',
    params: {
      mode: 'form',
      message: 'Your name?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
    },
  }

  beforeAll(async () => {
    server = await startRawServer(
      ({ id, params }, response) => {
        const name = String(params?.name)
        const hasTasks = JSON.stringify(params?._meta).includes(EXTENSION)
        if (name === 'slow' && !hasTasks) {
          response.writeHead(400, { 'content-type': 'application/json' })
          const data = { requiredCapabilities: { extensions: { [EXTENSION]: {} } } }
          return void response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32021, message: 'no', data } }))
        }
        if (name === 'quick' || !hasTasks)
          return answerWith(response, id, { resultType: 'complete', ...text(atOnce || `${name} at once`) })
        const taskId = `task-${tasks.size}`
        tasks.set(taskId, name === 'asks' ? { status: 'input_required', inputRequests: { name: QUESTION } } : {})
        answerWith(response, id, { resultType: 'task', ...task(taskId), inputRequests: undefined })
      },
      {
        'server/discover': ({ id }, response) =>
          answerWith(response, id, {
            resultType: 'complete',
            supportedVersions: ['2026-07-28'],
            capabilities: { tools: {}, extensions: { [EXTENSION]: {} } },
          }),
        'tools/list': ({ id }, response) =>
          answerWith(response, id, {
            resultType: 'complete',
            ttlMs: 0,
            cacheScope: 'private',
            tools: ['slow', 'quick', 'asks', 'fails'].map((name) => ({ name, inputSchema: { type: 'object' } })),
          }),
        'tasks/get': ({ id, params }, response) =>
          answerWith(response, id, { resultType: 'complete', ...task(String(params?.taskId)) }),
        'tasks/update': ({ id, params }, response) => {
          const { inputResponses } = params as { inputResponses: { name: { content: { name: string } } } }
          const { name } = inputResponses.name.content
          tasks.set(String(params?.taskId), { status: 'completed', result: text(`hello ${name}`) })
          answerWith(response, id, { resultType: 'complete' })
        },
        'tasks/cancel': ({ id }, response) => answerWith(response, id, { resultType: 'complete' }),
      },
    )
    world.onClose(server.close)
    const gate = await openGate(world, { policy: POLICY, servers: { raw: server.url } })
    url = `${gate.url}/mcp/raw`
    client = new Client({ name: 'agent', version: '1' }, { capabilities: { elicitation: {} } })
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      seen.push(params._meta)
      return { action: 'accept', content: { name: 'Ana' } }
    })
    await client.connect(new StreamableHTTPClientTransport(new URL(url)))
    world.onClose(() => client.close())
    await client.listTools()
  })

  /** Plays a call as a task; `then` once it has begun. */
  const play = async (name: string, then: (taskId: string) => Promise<void> = async () => {}) => {
    const states: string[] = []
    let result: unknown
    let taskId = ''
    for await (const event of client.experimental.tasks.callToolStream({ name, arguments: {} })) {
      if (event.type === 'taskCreated') {
        taskId = event.task.taskId
        await then(taskId)
      }
      if (event.type === 'taskStatus') states.push(event.task.status)
      if (event.type === 'result') result = event.result
      if (event.type === 'error') result = event.error
    }
    return { states, result, taskId }
  }
  const finish = (state: Json) => async (taskId: string) => {
    setTimeout(() => tasks.set(taskId, state), 150)
  }

  it('is told that calls can be tasks, and may do without', async () => {
    expect(client.getServerCapabilities()?.tasks).toEqual({ cancel: {}, requests: { tools: { call: {} } } })
    expect((await client.listTools()).tools.map(({ execution }) => execution)).toEqual(
      Array(4).fill({ taskSupport: 'optional' }),
    )
    expect(textOf((await client.callTool({ name: 'asks', arguments: {} })) as { content?: unknown })).toBe(
      'asks at once',
    )
    expect(JSON.stringify(server.messages().at(-1))).not.toContain(EXTENSION)
    // What a server makes nothing but a task of cannot be called otherwise.
    await expect(client.callTool({ name: 'slow', arguments: {} })).rejects.toMatchObject({ code: -32600 })
    await expect(client.experimental.tasks.listTasks()).rejects.toThrow()
    // A revision that has no tasks gets its answer, whatever it asks for.
    const older = await openSession(url, '2025-06-18')
    const asked = await post(url, message(1, 'tools/call', { name: 'slow', arguments: {}, task: {} }), older)
    expect(await asked.json()).toMatchObject({ error: { code: -32600 } })
    const quick = await post(url, message(2, 'tools/call', { name: 'quick', arguments: {}, task: {} }), older)
    expect(await quick.json()).toMatchObject({ result: { content: [{ text: 'quick at once' }] } })
  })

  it('gets what its task comes to, recorded before', async () => {
    const { states, result, taskId } = await play('slow', finish({ status: 'completed', result: text('done') }))
    expect([states.at(0), states.at(-1)]).toEqual(['working', 'completed'])
    expect(result).toMatchObject({
      content: [{ text: 'done' }],
      _meta: { 'io.modelcontextprotocol/related-task': { taskId } },
    })
    expect(
      server.messages().find(({ method }) => method === 'tools/call' && JSON.stringify(method)).params.task,
    ).toBeUndefined()
    expect(
      results()
        .map(({ outcome }) => outcome)
        .slice(-2),
    ).toEqual(['task', 'ok'])
    const begun = bodies(receipts(), 'intent').at(-1)
    expect(begun).toMatchObject({ call: { type: 'task', method: 'tasks/result', name: taskId } })
  })

  it('fails by a tool that says it failed, and by an error, each as its call would have', async () => {
    const fetched = (taskId: string) => client.experimental.tasks.getTaskResult(taskId, CallToolResultSchema)
    const said = await play('fails', finish({ status: 'completed', result: text('no', true) }))
    expect(said.states.at(-1)).toBe('failed')
    expect(await fetched(said.taskId)).toMatchObject({ isError: true, content: [{ text: 'no' }] })
    const broken = await play('fails', finish({ status: 'failed', error: { code: -32603, message: 'broken' } }))
    expect(broken.states.at(-1)).toBe('failed')
    await expect(fetched(broken.taskId)).rejects.toMatchObject({
      code: -32603,
      message: expect.stringContaining('broken'),
    })
    expect(results().at(-1)).toMatchObject({ outcome: 'error', text: 'broken' })
  })

  it('is asked what the task asks, of which it is told', async () => {
    const { result, taskId } = await play('asks')
    expect(result).toMatchObject({ content: [{ text: 'hello Ana' }] })
    expect(seen).toEqual([{ 'io.modelcontextprotocol/related-task': { taskId } }])
    const asked = bodies(receipts(), 'intent').filter(({ call }) => call.type === 'request')
    expect(asked).toMatchObject([{ decision: { effect: 'Allow' } }])
  })

  it('has a task of a call that was answered at once too', async () => {
    const { states, result } = await play('quick')
    expect([states.at(-1), result]).toMatchObject(['completed', { content: [{ text: 'quick at once' }] }])
    expect(
      results()
        .map(({ outcome, text: said }) => [outcome, said])
        .slice(-2),
    ).toEqual(Array(2).fill(['ok', 'quick at once']))
  })

  it('gets nothing of what the policy withholds, whichever way its task ended', async () => {
    const SECRET = 'DE02120300000000202050'
    const policy = `${POLICY}  redact:\n  - {match: {servers: [raw], tools: ["*"]}, results: [customer.iban]}\n`
    const dataDir = world.path('redacting')
    const gate = await openGate(world, { policy, servers: { raw: server.url }, dataDir })
    const there = `${gate.url}/mcp/raw`
    const session = await openSession(there)
    let id = 0
    const told: string[] = []
    const ask = async (method: string, params: Json) => {
      const answer = await (await post(there, message(++id, method, params), session)).text()
      told.push(answer)
      return JSON.parse(answer).result as { task?: { taskId: string } } | undefined
    }
    for (const [name, state] of [
      ['slow', { status: 'completed', statusMessage: SECRET, result: text(SECRET) }],
      ['slow', { status: 'failed', statusMessage: SECRET, error: { code: -32603, message: SECRET } }],
      ['quick', {}],
    ] as const) {
      atOnce = SECRET
      const taskId = (await ask('tools/call', { name, arguments: {}, task: {} }))!.task!.taskId
      tasks.set(taskId, state)
      await ask('tasks/get', { taskId })
      await ask('tasks/result', { taskId })
      atOnce = ''
    }
    expect(told.filter((answer) => answer.includes('withholds'))).toHaveLength(3)
    expect(JSON.stringify([told, readReceipts(dataDir)])).not.toContain(SECRET)
  })

  it('gives a task up, which stays so to it', async () => {
    const { result } = await play('slow', async (taskId) => {
      expect(await client.experimental.tasks.cancelTask(taskId)).toMatchObject({ taskId, status: 'cancelled' })
      expect(await client.experimental.tasks.getTask(taskId)).toMatchObject({ taskId, status: 'cancelled' })
      await expect(client.experimental.tasks.cancelTask(taskId)).rejects.toMatchObject({ code: -32602 })
    })
    expect(result).toBeInstanceOf(Error)
    expect(server.messages().filter(({ method }) => method === 'tasks/cancel')).toHaveLength(1)
  })
})

describe('an agent of 2026-07-28 at a server of 2025-11-25 that has tasks', () => {
  const world = createWorld()
  afterAll(() => world.close())
  const CAPABLE = { elicitation: { form: {} }, extensions: { [EXTENSION]: {} } }
  let url: string
  let id = 0
  beforeAll(async () => {
    const everything = await startEverything(world)
    const gate = await openGate(world, { policy: POLICY, servers: { everything } })
    url = `${gate.url}/mcp/everything`
  }, 60_000)
  const ask = async (method: string, params: Json = {}, capabilities: object = CAPABLE) => {
    const headers: Record<string, string> = typeof params.taskId === 'string' ? { 'mcp-name': params.taskId } : {}
    const response = await send(url, method, { _meta: meta(capabilities), ...params }, headers, ++id)
    return (await response.json()) as { result?: Json; error?: Json }
  }
  const call = (topic: string, ambiguous: boolean, capabilities?: object) =>
    ask('tools/call', { name: 'simulate-research-query', arguments: { topic, ambiguous } }, capabilities)

  it('is told so by the extension, and refused what it would need it for', async () => {
    expect((await ask('server/discover')).result?.capabilities).toMatchObject({ extensions: { [EXTENSION]: {} } })
    expect((await call('x', false, {})).error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { extensions: { [EXTENSION]: {} } } },
    })
  })

  it('polls its task, answers what it asks, and gets what it comes to', async () => {
    const { result } = await call('python', true)
    expect(result).toMatchObject({
      resultType: 'task',
      status: 'working',
      taskId: expect.any(String),
      ttlMs: expect.any(Number),
    })
    const taskId = String(result?.taskId)
    expect((await ask('tasks/get', { taskId }, {})).error).toMatchObject({ code: -32021 })
    let asked: [string, Json][] = []
    await expect
      .poll(async () => {
        const { result: state } = await ask('tasks/get', { taskId })
        asked = Object.entries((state?.inputRequests ?? {}) as Record<string, Json>)
        return state?.status
      }, PATIENT)
      .toBe('input_required')
    expect(asked).toMatchObject([
      [expect.any(String), { method: 'elicitation/create', params: { message: expect.any(String) } }],
    ])
    const inputResponses = { [asked[0]![0]]: { action: 'accept', content: { interpretation: 'snake' } } }
    expect((await ask('tasks/update', { taskId, inputResponses })).result).toMatchObject({ resultType: 'complete' })
    let last: Json | undefined
    await expect
      .poll(async () => {
        last = (await ask('tasks/get', { taskId })).result
        return last?.status
      }, PATIENT)
      .toBe('completed')
    expect(JSON.stringify(last?.result)).toContain('python (snake)')
    const receipts = readReceipts(world.path('data'))
    const kinds = bodies(receipts, 'intent').map(({ call: of }) => ('method' in of ? of.method : of.type))
    expect(kinds.slice(-4)).toEqual(['tool', 'elicitation/create', 'tasks/update', 'tasks/get'])
    expect(bodies(receipts, 'result').at(-1)).toMatchObject({ outcome: 'ok' })
  }, 60_000)

  it('gives a task up', async () => {
    const taskId = String((await call('slow', false)).result?.taskId)
    expect((await ask('tasks/cancel', { taskId })).result).toEqual({ resultType: 'complete' })
    expect((await ask('tasks/get', { taskId })).result).toMatchObject({ status: 'cancelled' })
  })
})
