import { afterEach, describe, expect, it } from 'vitest'
import { meta, send } from './modern-agent.ts'
import { answerWith, startRawServer } from './raw-server.ts'
import { bodies, createWorld, openGate, readReceipts, type World } from './world.ts'

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: raw, namespace: lab}
spec:
  tools:
  - {name: tools, match: {servers: [raw]}, effect: Allow}
  requests:
  - name: names
    match: {servers: [raw], methods: [elicitation/create]}
    effect: Allow
    where: [{arg: message, in: ["Your name?", "Your nickname?"]}]
    answer: [{arg: content.name, pattern: "^[A-Z][a-z]*$", optional: true}]
`
const EXTENSION = 'io.modelcontextprotocol/tasks'
const CAPABLE = { elicitation: {}, extensions: { [EXTENSION]: {} } }
const TASK = {
  taskId: 't-1',
  status: 'working',
  createdAt: 'now',
  lastUpdatedAt: 'now',
  ttlMs: 60_000,
  pollIntervalMs: 5,
}
const SECRET = 'DE02120300000000202050'
const elicit = (text: string) => ({
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message: text,
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
  },
})

type Json = Record<string, unknown>

describe('tasks of the revision without sessions', () => {
  let world: World
  afterEach(() => world.close())
  const receipts = () => readReceipts(world.path('data'))
  const intents = (type: string) => bodies(receipts(), 'intent').filter(({ call }) => call.type === type)

  /** A server whose calls all become tasks, in the state that is put into `state`. */
  const start = async (policy = POLICY) => {
    world = createWorld()
    let state: Json = {}
    const server = await startRawServer(
      (call, response) =>
        answerWith(response, call.id, { resultType: 'task', ...TASK, statusMessage: SECRET, extra: SECRET }),
      {
        'server/discover': ({ id }, response) =>
          answerWith(response, id, {
            resultType: 'complete',
            supportedVersions: ['2026-07-28'],
            capabilities: { tools: {}, extensions: { [EXTENSION]: {}, 'com.example/more': {} } },
          }),
        'tasks/get': ({ id }, response) => answerWith(response, id, { resultType: 'complete', ...TASK, ...state }),
        'tasks/update': ({ id }, response) => answerWith(response, id, { resultType: 'complete' }),
        'tasks/cancel': ({ id }, response) => answerWith(response, id, { resultType: 'complete', extra: SECRET }),
      },
    )
    world.onClose(server.close)
    const gate = await openGate(world, { policy, servers: { raw: server.url } })
    let id = 0
    const ask = async (method: string, params: Json = {}, capabilities: object = CAPABLE) => {
      const headers: Record<string, string> = typeof params.taskId === 'string' ? { 'mcp-name': params.taskId } : {}
      const body = { _meta: meta(capabilities), ...params }
      const response = await send(`${gate.url}/mcp/raw`, method, body, headers, ++id)
      return (await response.json()) as { result?: Json; error?: Json }
    }
    const call = (capabilities?: object) => ask('tools/call', { name: 'slow', arguments: {} }, capabilities)
    return { server, ask, call, become: (next: Json) => (state = next) }
  }

  it('are offered where both sides have the extension, and no other extension is', async () => {
    const { ask, server } = await start()
    const { result } = await ask('server/discover')
    expect(result?.capabilities).toMatchObject({ extensions: { [EXTENSION]: {} } })
    expect(JSON.stringify(result)).not.toContain('com.example')
    await ask('tools/list', {}, { ...CAPABLE, extensions: { ...CAPABLE.extensions, 'com.example/mine': {} } })
    const told = JSON.stringify(server.messages().at(-1))
    expect(told).toContain(EXTENSION)
    expect(told).not.toContain('com.example/mine')
  })

  it('begin by a recorded call, and what they come to is recorded before the agent gets it', async () => {
    const { ask, call, become } = await start()
    expect((await call()).result).toEqual({ resultType: 'task', ...TASK, statusMessage: SECRET })
    expect(bodies(receipts(), 'result').at(-1)).toMatchObject({ outcome: 'task' })
    const before = receipts().length
    expect((await ask('tasks/get', { taskId: 't-1' })).result).toEqual({ resultType: 'complete', ...TASK })
    expect(receipts()).toHaveLength(before)
    become({ status: 'completed', result: { content: [{ type: 'text', text: 'all done' }] }, extra: 'x' })
    expect((await ask('tasks/get', { taskId: 't-1' })).result).toEqual({
      resultType: 'complete',
      ...TASK,
      status: 'completed',
      result: { content: [{ type: 'text', text: 'all done' }] },
    })
    const begun = intents('tool').at(-1)
    const receipt = receipts().find(({ body }) => JSON.stringify(body) === JSON.stringify(begun))!.envelope
    expect(intents('task').at(-1)).toMatchObject({
      call: { method: 'tasks/get', name: 't-1', intent: `${receipt.incarnation}-${receipt.seq}` },
    })
    expect(bodies(receipts(), 'result').at(-1)).toMatchObject({ outcome: 'ok', text: 'all done' })
    become({ status: 'failed', error: { code: -32603, message: 'broken' } })
    expect((await ask('tasks/get', { taskId: 't-1' })).result).toMatchObject({
      status: 'failed',
      error: { message: 'broken' },
    })
    expect(bodies(receipts(), 'result').at(-1)).toMatchObject({ outcome: 'error', text: 'broken' })
  })

  it('ask the agent what rules allow, once, and get of its answers what rules allow', async () => {
    const { ask, call, become, server } = await start()
    await call()
    const inputRequests = {
      name: elicit('Your name?'),
      nick: elicit('Your nickname?'),
      password: elicit('Your password?'),
    }
    become({ status: 'input_required', inputRequests })
    const shown = { name: inputRequests.name, nick: inputRequests.nick }
    expect((await ask('tasks/get', { taskId: 't-1' })).result).toMatchObject({
      status: 'input_required',
      inputRequests: shown,
    })
    const recorded = intents('request').map(({ decision }) => decision.effect)
    expect(recorded.sort()).toEqual(['Allow', 'Allow', 'Deny'])
    // Another question under the same key is not the one that was allowed.
    become({ status: 'input_required', inputRequests: { name: elicit('Your password?') } })
    expect((await ask('tasks/get', { taskId: 't-1' })).result?.inputRequests).toEqual({ name: inputRequests.name })
    expect(intents('request')).toHaveLength(3)

    const accept = (name: string) => ({ action: 'accept', content: { name } })
    const update = await ask('tasks/update', {
      taskId: 't-1',
      inputResponses: {
        name: accept('Ana'),
        nick: accept('hunter2'),
        password: accept('secret'),
        made_up: accept('secret'),
      },
    })
    expect(update.result).toEqual({ resultType: 'complete' })
    expect(server.messages().at(-1)).toMatchObject({
      params: { taskId: 't-1', inputResponses: { name: accept('Ana') } },
    })
    await ask('tasks/update', { taskId: 't-1', inputResponses: { name: accept('Bo') } })
    expect(server.messages().at(-1).params.inputResponses).toEqual({})
    expect(JSON.stringify([server.requests, receipts()])).not.toMatch(/hunter2|secret/)
  })

  it('show a URL in the error they came to only when a rule lets the server ask for it', async () => {
    const { ask, call, become } = await start()
    const capable = { ...CAPABLE, elicitation: { url: {} } }
    await call(capable)
    const failed = (message: string) => {
      const asked = { mode: 'url', message, url: 'https://evil.example/', elicitationId: 'e-1' }
      return { code: -32042, message: 'first', data: { elicitations: [asked] } }
    }
    become({ status: 'failed', error: { ...failed('Your password?'), extra: SECRET } })
    const refused = await ask('tasks/get', { taskId: 't-1' }, capable)
    expect(refused.result).toMatchObject({ status: 'failed', error: { data: { code: 'UpstreamInvalid' } } })
    expect(JSON.stringify(refused)).not.toContain('evil.example')
    expect(bodies(receipts(), 'result').at(-1)).toMatchObject({ outcome: 'invalid' })
    become({ status: 'failed', error: { ...failed('Your name?'), extra: SECRET } })
    expect((await ask('tasks/get', { taskId: 't-1' }, capable)).result).toMatchObject({
      status: 'failed',
      error: failed('Your name?'),
    })
    expect(intents('request').map(({ decision }) => decision.effect)).toEqual(['Deny', 'Allow'])
  })

  it('are unknown to whoever did not begin them, and no answer to who has not the extension', async () => {
    const { ask, call } = await start()
    expect((await ask('tasks/get', { taskId: 't-1' })).error).toMatchObject({
      code: -32602,
      data: { code: 'UnknownTask' },
    })
    expect((await call({ elicitation: {} })).result).toMatchObject({
      isError: true,
      _meta: { 'dev.remit/code': 'UpstreamInvalid' },
    })
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
      expect((await ask(method, { taskId: 't-1' })).error).toMatchObject({ code: -32602 })
    for (const method of ['tasks/result', 'tasks/list'])
      expect((await ask(method, { taskId: 't-1' })).error).toMatchObject({ code: -32601 })
  })

  it('are withheld of as the call’s own result would be, and can be given up', async () => {
    const { ask, call, become } = await start(
      `${POLICY}  redact:\n  - {match: {servers: [raw], tools: [slow]}, results: [customer.iban]}\n`,
    )
    await call()
    become({
      status: 'completed',
      statusMessage: SECRET,
      result: { content: [{ type: 'text', text: `IBAN ${SECRET}` }] },
    })
    const got = await ask('tasks/get', { taskId: 't-1' })
    expect(got.result).toMatchObject({
      status: 'completed',
      result: { content: [{ text: expect.stringContaining('withholds') }] },
    })
    expect((await ask('tasks/cancel', { taskId: 't-1' })).result).toEqual({ resultType: 'complete' })
    expect(intents('task').map(({ call: of }) => 'method' in of && of.method)).toEqual(['tasks/get', 'tasks/cancel'])
    expect(JSON.stringify([got, receipts()])).not.toContain(SECRET)
  })
})
