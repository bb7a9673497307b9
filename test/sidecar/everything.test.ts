import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyReceipts } from '../../lib/core/chain.ts'
import type { Standalone } from '../../sidecar/standalone.ts'
import { bodies, connect, createWorld, openGate, readReceipts, startEverything, textOf } from './world.ts'

const POLICY = `
apiVersion: remit.dev/v1alpha1
kind: AgentPolicy
metadata: {name: all-of-it, namespace: lab}
spec:
  tools:
  - {name: any-tool, match: {servers: [everything]}, effect: Allow}
  resources:
  - {name: documents, match: {servers: [everything], uris: ["demo://resource/*"]}, effect: Allow}
  - {name: no-blobs, match: {servers: [everything], uris: ["demo://resource/dynamic/blob/*"]}, effect: Deny}
  - {name: ask-for-start, match: {servers: [everything], uris: ["*/startup.md"]}, effect: Ask}
  prompts:
  - {name: simple, match: {servers: [everything], prompts: [simple-prompt, completable-prompt]}, effect: Allow}
  - name: short-cities
    match: {servers: [everything], prompts: [args-prompt]}
    effect: Allow
    where: [{arg: city, in: [Berlin]}]
  requests:
  - name: small-samples
    match: {servers: [everything], methods: [sampling/createMessage]}
    effect: Allow
    where: [{arg: maxTokens, max: "50"}]
  - name: forms
    match: {servers: [everything], methods: [elicitation/create]}
    effect: Allow
    where: [{arg: mode, in: [form]}]
    answer: [{arg: content.email, absent: true}]
  - name: sign-in
    match: {servers: [everything], methods: [elicitation/create]}
    effect: Allow
    where: [{arg: mode, in: [url], optional: true}, {arg: url, prefix: "https://bank.example/", optional: true}]
  - {name: roots, match: {servers: [everything], methods: [roots/list]}, effect: Allow}
`

type Params = Record<string, unknown>

describe('the reference server, with all it has, through the gate', () => {
  const world = createWorld()
  let gate: Standalone
  let url: string
  const receipts = () => readReceipts(world.path('data'))
  const intents = (type: string) => bodies(receipts(), 'intent').filter(({ call }) => call.type === type)
  const resultOf = (intent: (typeof intents extends (t: string) => (infer I)[] ? I : never) | undefined) => {
    const receipt = receipts().find(({ body }) => body === intent || JSON.stringify(body) === JSON.stringify(intent))
    const name = `${receipt?.envelope.incarnation}-${receipt?.envelope.seq}`
    return bodies(receipts(), 'result').find((result) => result.intent === name)
  }

  beforeAll(async () => {
    gate = await openGate(world, { policy: POLICY, servers: { everything: await startEverything(world) } })
    url = `${gate.url}/mcp/everything`
  })
  afterAll(() => world.close())

  /** An agent on version 1 of the official client, that can do all that clients can. */
  const agent = async (answers: { elicit?: (params: Params) => object; sample?: (params: Params) => object } = {}) => {
    const client = new ClientV1(
      { name: 'agent', version: '1' },
      {
        capabilities: {
          sampling: {},
          elicitation: { form: {}, url: {} },
          roots: { listChanged: true },
          tasks: { requests: { elicitation: { create: {} } } },
        },
      },
    )
    const seen: { method: string; params: Params }[] = []
    const answer =
      (handle: ((params: Params) => object) | undefined) => (request: { method: string; params?: object }) => {
        const params = (request.params ?? {}) as Params
        seen.push({ method: request.method, params })
        return (handle?.(params) ?? { action: 'decline' }) as never
      }
    client.setRequestHandler(ElicitRequestSchema, answer(answers.elicit))
    client.setRequestHandler(
      CreateMessageRequestSchema,
      answer(answers.sample ?? (() => ({ role: 'assistant', content: { type: 'text', text: 'Paris' }, model: 'm' }))),
    )
    client.setRequestHandler(
      ListRootsRequestSchema,
      answer(() => ({ roots: [{ uri: 'file:///work', name: 'work' }] })),
    )
    await client.connect(new TransportV1(new URL(url)) as never)
    world.onClose(() => client.close())
    return { client, seen }
  }
  const call = async (client: ClientV1, name: string, args: object = {}) =>
    textOf((await client.callTool({ name, arguments: { ...args } })) as { content?: unknown })

  describe.each([
    ['version 1 of the client', async () => (await agent()).client],
    ['version 2 of the client', async () => (await connect(world, url)) as unknown as ClientV1],
  ])('for %s', (_version, client) => {
    it('offers what some rule could give', async () => {
      expect(Object.keys((await client()).getServerCapabilities() ?? {})).toEqual(
        expect.arrayContaining(['tools', 'logging', 'resources', 'prompts', 'completions']),
      )
    })
    it('lists resources, templates and prompts that could be had', async () => {
      const agent = await client()
      const { resources } = await agent.listResources()
      expect(resources.length).toBeGreaterThan(3)
      expect(resources.map(({ uri }) => uri)).toContain('demo://resource/static/document/features.md')
      const { resourceTemplates } = await agent.listResourceTemplates()
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
        'demo://resource/dynamic/text/{resourceId}',
      ])
      const { prompts } = await agent.listPrompts()
      expect(prompts.map(({ name }) => name).sort()).toEqual(['args-prompt', 'completable-prompt', 'simple-prompt'])
    })
    it('reads a resource, and records it before and after', async () => {
      const agent = await client()
      const uri = 'demo://resource/dynamic/text/7'
      const { contents } = await agent.readResource({ uri })
      expect(contents).toEqual([expect.objectContaining({ uri, text: expect.stringContaining('Resource 7') })])
      const intent = intents('resource').at(-1)
      expect(intent).toMatchObject({
        call: { server: 'everything', method: 'resources/read', name: uri, arguments: { uri } },
        decision: { effect: 'Allow', rule: 'documents', policy: 'lab/all-of-it' },
      })
      expect(resultOf(intent)).toMatchObject({ outcome: 'ok', text: expect.stringContaining('Resource 7') })
    })
    it.each([
      ['demo://resource/dynamic/blob/7', 'DeniedByRule'],
      ['demo://resource/static/document/startup.md', 'WaitingForPerson'],
      ['demo://elsewhere/7', 'NoRuleAllows'],
      ['demo://resource/static/document/../../7', 'UriNotPlain'],
      ['demo://resource/static/document/%2e%2e/7', 'UriNotPlain'],
    ])('does not read %s', async (uri, code) => {
      const agent = await client()
      await expect(agent.readResource({ uri })).rejects.toMatchObject({ code: -32602, data: { code } })
      expect(intents('resource').at(-1)).toMatchObject({ call: { name: uri }, decision: { code } })
    })
    it('gets a prompt within its bounds, and completes arguments of what is offered', async () => {
      const agent = await client()
      expect(JSON.stringify(await agent.getPrompt({ name: 'args-prompt', arguments: { city: 'Berlin' } }))).toContain(
        'Berlin',
      )
      expect(intents('prompt').at(-1)).toMatchObject({
        call: { method: 'prompts/get', name: 'args-prompt', arguments: { city: 'Berlin' } },
        decision: { effect: 'Allow', rule: 'short-cities' },
      })
      await expect(agent.getPrompt({ name: 'args-prompt', arguments: { city: 'Rome' } })).rejects.toMatchObject({
        data: { code: 'ConstraintFailed' },
      })
      await expect(agent.getPrompt({ name: 'resource-prompt' })).rejects.toMatchObject({
        data: { code: 'NoRuleAllows' },
      })
      const complete = (ref: object, name: string, value: string) =>
        agent.complete({ ref: ref as never, argument: { name, value } })
      expect(
        (await complete({ type: 'ref/prompt', name: 'completable-prompt' }, 'department', 'E')).completion.values,
      ).toEqual(['Engineering'])
      const template = (kind: string) => ({ type: 'ref/resource', uri: `demo://resource/dynamic/${kind}/{resourceId}` })
      expect((await complete(template('text'), 'resourceId', '7')).completion.values).toEqual(['7'])
      expect(intents('completion').at(-1)).toMatchObject({
        decision: { effect: 'Allow' },
        call: { method: 'completion/complete' },
      })
      await expect(complete(template('blob'), 'resourceId', '7')).rejects.toMatchObject({
        data: { code: 'NoRuleAllows' },
      })
      await expect(
        complete({ type: 'ref/prompt', name: 'resource-prompt' }, 'resourceType', 'T'),
      ).rejects.toMatchObject({
        data: { code: 'NoRuleAllows' },
      })
    })
  })

  it('passes what the server logs, and tells of resources that change', async () => {
    const { client } = await agent()
    const logged: unknown[] = []
    const updated: string[] = []
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logged.push(params.data))
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri))
    await client.setLoggingLevel('debug')
    await expect(client.setLoggingLevel('loud' as never)).rejects.toThrow()
    const uri = 'demo://resource/dynamic/text/1'
    await client.subscribeResource({ uri })
    expect(intents('resource').at(-1)).toMatchObject({ call: { method: 'resources/subscribe', name: uri } })
    await expect(client.subscribeResource({ uri: 'demo://elsewhere/1' })).rejects.toMatchObject({ code: -32602 })
    await call(client, 'toggle-subscriber-updates')
    await expect.poll(() => updated, { timeout: 10_000 }).toContain(uri)
    await call(client, 'toggle-simulated-logging')
    await expect.poll(() => logged.length, { timeout: 10_000 }).toBeGreaterThan(0)
    await call(client, 'toggle-simulated-logging')
    await call(client, 'toggle-subscriber-updates')
    await client.unsubscribeResource({ uri })
  })

  it('lets the server ask for the roots, and again when they change', async () => {
    const { client, seen } = await agent()
    const asked = () => seen.filter(({ method }) => method === 'roots/list').length
    await expect.poll(asked, { timeout: 10_000 }).toBe(1)
    expect(intents('request').at(-1)).toMatchObject({ call: { method: 'roots/list' }, decision: { rule: 'roots' } })
    await client.sendRootsListChanged()
    await expect.poll(asked, { timeout: 10_000 }).toBe(2)
    expect(await call(client, 'get-roots-list')).toContain('file:///work')
  })

  it('lets the server sample within its bounds, and records both', async () => {
    const { client, seen } = await agent()
    const answer = await call(client, 'trigger-sampling-request', { prompt: 'Capital of France?', maxTokens: 20 })
    expect(answer).toContain('Paris')
    expect(seen.find(({ method }) => method === 'sampling/createMessage')?.params).toMatchObject({ maxTokens: 20 })
    const intent = intents('request').find(({ call }) => 'method' in call && call.method === 'sampling/createMessage')
    expect(intent).toMatchObject({ call: { arguments: { maxTokens: 20 } }, decision: { rule: 'small-samples' } })
    await expect.poll(() => resultOf(intent)).toMatchObject({ outcome: 'ok', text: expect.stringContaining('Paris') })
    const sampled = () => seen.filter(({ method }) => method === 'sampling/createMessage').length
    expect(await call(client, 'trigger-sampling-request', { prompt: 'A novel', maxTokens: 5_000 })).toMatch(
      /does not allow/,
    )
    expect(sampled()).toBe(1)
    expect(intents('request').map(({ decision }) => decision.code)).toContain('ConstraintFailed')
  })

  it('lets the server ask by a form, and holds back answers that the rule does not let leave', async () => {
    const content: Params = { name: 'Ana' }
    const { client } = await agent({ elicit: () => ({ action: 'accept', content }) })
    expect(await call(client, 'trigger-elicitation-request')).toContain('Ana')
    expect(bodies(receipts(), 'result').some(({ text }) => text?.includes('"action":"accept"'))).toBe(true)
    content.email = 'ana@corp.example'
    const withheld = await call(client, 'trigger-elicitation-request')
    expect(withheld).toMatch(/withholds its answer/)
    expect(withheld).not.toContain('ana@corp.example')
    expect(bodies(receipts(), 'result').some(({ text }) => text?.startsWith('ConstraintFailed'))).toBe(true)
    expect(JSON.stringify(receipts())).not.toContain('ana@corp.example')
  })

  it('shows URLs of the hosts that the policy names, and no others', async () => {
    const { client, seen } = await agent({ elicit: () => ({ action: 'accept' }) })
    const open = (to: string, more: object = {}) => call(client, 'trigger-url-elicitation', { url: to, ...more })
    expect(await open('https://bank.example/sign-in')).toContain('User completed')
    expect(seen.at(-1)?.params).toMatchObject({ mode: 'url', url: 'https://bank.example/sign-in' })
    const shown = () => seen.filter(({ params }) => params.mode === 'url').length
    for (const elsewhere of [
      'https://evil.example/',
      'https://bank.example@evil.example/',
      'https://bank.example.evil.example/',
    ])
      expect(await open(elsewhere)).toMatch(/does not (allow|pass)/)
    expect(shown()).toBe(1)
    // The same by an error: the prerequisite of the reference server is on another host.
    const byError = await client.callTool({
      name: 'trigger-url-elicitation',
      arguments: { url: 'https://bank.example/x', errorPath: true },
    })
    expect(JSON.stringify(byError)).not.toContain('modelcontextprotocol.io')
    expect(byError).toMatchObject({ isError: true, _meta: { 'dev.remit/code': 'UpstreamInvalid' } })
  })

  it('lets a call go on as a task, and gives its result only as the call would have had it', async () => {
    const { client, seen } = await agent({ elicit: () => ({ action: 'accept', content: { interpretation: 'snake' } }) })
    expect(client.getServerCapabilities()?.tasks).toEqual({ list: {}, cancel: {}, requests: { tools: { call: {} } } })
    await client.listTools()
    const states: string[] = []
    let taskId = ''
    let report = ''
    const stream = client.experimental.tasks.callToolStream({
      name: 'simulate-research-query',
      arguments: { topic: 'python', ambiguous: true },
    })
    for await (const event of stream) {
      if (event.type === 'taskCreated') taskId = event.task.taskId
      if (event.type === 'taskStatus') states.push(event.task.status)
      if (event.type === 'result') report = textOf(event.result as { content?: unknown })
      if (event.type === 'error') throw event.error
    }
    expect(report).toContain('python (snake)')
    expect(seen.filter(({ method }) => method === 'elicitation/create')).toHaveLength(1)
    const begun = bodies(receipts(), 'intent').find(
      ({ call }) => call.type === 'tool' && call.tool === 'simulate-research-query',
    )
    expect(resultOf(begun)).toMatchObject({ outcome: 'task' })
    const fetched = intents('task').find(({ call }) => 'method' in call && call.method === 'tasks/result')
    expect(fetched).toMatchObject({ call: { name: taskId, intent: expect.stringMatching(/^[0-9a-f]{12}-\d+$/) } })
    expect(resultOf(fetched)).toMatchObject({ outcome: 'ok', text: expect.stringContaining('Research Report') })
    const { tasks } = await client.experimental.tasks.listTasks()
    expect(tasks.map((task) => task.taskId)).toEqual([taskId])
  }, 60_000)

  it('knows no task but those that this agent’s calls began', async () => {
    const { client } = await agent()
    await expect(client.experimental.tasks.getTask('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({
      code: -32602,
      data: { code: 'UnknownTask' },
    })
    expect((await client.experimental.tasks.listTasks()).tasks).toEqual([])
  })

  it('gives a task up', async () => {
    const { client } = await agent()
    await client.listTools()
    const stream = client.experimental.tasks.callToolStream({
      name: 'simulate-research-query',
      arguments: { topic: 'slow', ambiguous: false },
    })
    for await (const event of stream) {
      if (event.type !== 'taskCreated') continue
      const cancelled = await client.experimental.tasks.cancelTask(event.task.taskId)
      expect(cancelled).toMatchObject({ taskId: event.task.taskId, status: 'cancelled' })
      break
    }
    expect(intents('task').at(-1)).toMatchObject({ call: { method: 'tasks/cancel' }, decision: { effect: 'Allow' } })
  })

  it('leaves a result of every intent that was allowed, in one unbroken chain', async () => {
    await expect
      .poll(() => {
        const allowed = bodies(receipts(), 'intent').filter(({ decision }) => decision.effect === 'Allow')
        return allowed.length - bodies(receipts(), 'result').length
      })
      .toBe(0)
    expect(verifyReceipts(receipts())).toEqual({ ok: true })
  })
})
