import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SpanKind } from '@opentelemetry/api'
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace'
import { afterEach, describe, expect, it } from 'vitest'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, startRawServer } from './raw-server.ts'
import { createWorld, type GateSettings, openGate, POLICY, type World } from './world.ts'

/**
 * What the gate tells OpenTelemetry, in full: names and units are those of the semantic conventions 1.41 for MCP and
 * GenAI (`docs/gen-ai` of their repository), written out here, so that a change of ours shows; `remit.*` are ours.
 */
describe('telemetry', () => {
  let world: World
  afterEach(() => world.close())

  /** A gate, and all it exported once it was closed. */
  const watched = async (settings: GateSettings) => {
    const spans: ReadableSpan[] = []
    const metrics: MetricData[] = []
    const spanExporter = new InMemorySpanExporter()
    spanExporter.export = (batch, done) => {
      spans.push(...batch)
      done({ code: 0 })
    }
    const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    metricExporter.export = (batch, done) => {
      metrics.push(...batch.scopeMetrics.flatMap((scope) => scope.metrics))
      done({ code: 0 })
    }
    const gate = await openGate(world, { ...settings, exporters: { spans: spanExporter, metrics: metricExporter } })
    return { url: gate.url, spans, metrics, close: gate.close }
  }
  const shape = ({ name, kind, parentSpanContext, attributes, status }: ReadableSpan) => ({
    name,
    kind: SpanKind[kind],
    parent: parentSpanContext?.spanId,
    attributes,
    status,
  })
  const series = (metrics: MetricData[], name: string) => {
    const found = metrics.find(({ descriptor }) => descriptor.name === name)
    return {
      unit: found?.descriptor.unit,
      bounds: (found?.dataPoints[0]?.value as Histogram | undefined)?.buckets.boundaries,
      attributes: found?.dataPoints.map(({ attributes }) => attributes),
    }
  }
  const OK = { code: 0 }
  const ERROR = { code: 2 }
  const RECEIPT = expect.stringMatching(/^[0-9a-f]{12}-\d+$/)
  const MCP_BOUNDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]
  const MODEL_BOUNDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
  const TOKEN_BOUNDS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864]

  it('tells of a tool call, and of one that is denied', async () => {
    world = createWorld()
    const server = await startRawServer((call, response) =>
      answerWith(response, call.id, { content: [{ type: 'text', text: 'done' }] }),
    )
    world.onClose(server.close)
    const gate = await watched({ servers: { raw: server.url } })
    const session = await openSession(`${gate.url}/mcp/raw`)
    const call = async (id: number, name: string, meta: object) =>
      (
        await post(
          `${gate.url}/mcp/raw`,
          message(id, 'tools/call', { name, arguments: { a: 'secret' }, _meta: meta }),
          {
            ...session,
            traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
          },
        )
      ).text()
    await call(1, 'anything', { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })
    await call(2, 'delete_all', {})
    await gate.close()

    const about = (tool: string) => ({
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': tool,
      'gen_ai.operation.name': 'execute_tool',
      'network.transport': 'tcp',
      'network.protocol.name': 'http',
    })
    const version = { 'mcp.protocol.version': '2025-11-25' }
    const decided = { 'remit.decision.policy': 'payments/billing', 'remit.receipt': RECEIPT }
    const at = { 'server.address': '127.0.0.1', 'server.port': Number(new URL(server.url).port) }
    const traceOf = (traceId: string) => gate.spans.filter((span) => span.spanContext().traceId === traceId)
    const [client, ours] = traceOf('4bf92f3577b34da6a3ce929d0e0e4736')
    expect(shape(ours!)).toEqual({
      name: 'tools/call anything',
      kind: 'SERVER',
      parent: '00f067aa0ba902b7',
      status: OK,
      attributes: {
        ...about('anything'),
        ...version,
        ...decided,
        'mcp.session.id': expect.stringMatching(/^[0-9a-f]{16}$/),
        'jsonrpc.request.id': '1',
        'remit.decision.effect': 'Allow',
        'remit.decision.rule': 'everything',
      },
    })
    expect(shape(client!)).toEqual({
      name: 'tools/call anything',
      kind: 'CLIENT',
      parent: ours?.spanContext().spanId,
      status: OK,
      attributes: {
        ...about('anything'),
        ...version,
        ...at,
        'jsonrpc.request.id': '1',
        'remit.server': 'raw',
        'remit.outcome': 'ok',
      },
    })
    expect(traceOf('11111111111111111111111111111111').map(shape)).toEqual([
      {
        name: 'tools/call delete_all',
        kind: 'SERVER',
        parent: '2222222222222222',
        status: ERROR,
        attributes: {
          ...about('delete_all'),
          ...version,
          ...decided,
          'mcp.session.id': expect.stringMatching(/^[0-9a-f]{16}$/),
          'jsonrpc.request.id': '2',
          // Of the answer the agent got; why is in the next ones.
          'error.type': 'tool_error',
          'remit.decision.effect': 'Deny',
          'remit.decision.code': 'DeniedByInvariant',
          'remit.decision.rule': 'never-delete',
        },
      },
    ])
    expect(JSON.stringify(gate.spans.map(({ attributes, events }) => [attributes, events]))).not.toContain('secret')

    const sent = server.messages().filter(({ method }) => method === 'tools/call')
    expect(sent.map(({ params }) => params._meta.traceparent)).toEqual([
      `00-4bf92f3577b34da6a3ce929d0e0e4736-${client?.spanContext().spanId}-01`,
    ])
    expect(server.requests.find(({ body }) => body.includes('tools/call'))?.headers.traceparent).toBe(
      sent[0].params._meta.traceparent,
    )

    const measured = series(gate.metrics, 'mcp.server.operation.duration')
    expect(measured).toMatchObject({ unit: 's', bounds: MCP_BOUNDS })
    const labels = {
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'network.transport': 'tcp',
    }
    expect(measured.attributes).toContainEqual({
      ...labels,
      ...version,
      'network.protocol.name': 'http',
      'gen_ai.tool.name': 'anything',
    })
    // No series for each name an agent may make up.
    expect(measured.attributes).toContainEqual({
      ...labels,
      ...version,
      'network.protocol.name': 'http',
      'error.type': 'tool_error',
    })
    expect(series(gate.metrics, 'mcp.client.operation.duration')).toEqual({
      unit: 's',
      bounds: MCP_BOUNDS,
      attributes: [{ ...about('anything'), ...version, ...at, 'remit.server': 'raw' }],
    })
    expect([...new Set(gate.metrics.map(({ descriptor }) => descriptor.name))].sort()).toEqual([
      'mcp.client.operation.duration',
      'mcp.server.operation.duration',
      'remit.calls',
      'remit.denials',
      'remit.queue',
      'remit.record.duration',
    ])
  })

  it('tells of what a prompt or a resource is asked for', async () => {
    world = createWorld()
    const server = await startRawServer(() => {}, {
      'prompts/get': ({ id }, response) => answerWith(response, id, { messages: [] }),
      'resources/read': ({ id }, response) =>
        answerWith(response, id, { contents: [{ uri: 'file:///handbook/a.md', text: 'secret' }] }),
    })
    world.onClose(server.close)
    const rules = `
  prompts:
  - {name: summaries, match: {servers: [raw], prompts: ["summ*"]}, effect: Allow}
  resources:
  - {name: handbook, match: {servers: [raw], uris: ["file:///handbook/*"]}, effect: Allow}
`
    const gate = await watched({ servers: { raw: server.url }, policy: POLICY.trimEnd() + rules })
    const session = await openSession(`${gate.url}/mcp/raw`)
    const ask = async (id: number, method: string, params: object) =>
      (await post(`${gate.url}/mcp/raw`, message(id, method, params), session)).text()
    await ask(1, 'prompts/get', { name: 'summary', arguments: { of: 'secret' } })
    await ask(2, 'resources/read', { uri: 'file:///handbook/a.md' })
    await gate.close()
    const told = (kind: SpanKind, name: string) =>
      gate.spans.find((span) => span.kind === kind && span.name === name)?.attributes
    const at = { 'server.address': '127.0.0.1', 'server.port': Number(new URL(server.url).port) }
    for (const [method, name, about] of [
      ['prompts/get', 'prompts/get summary', { 'gen_ai.prompt.name': 'summary' }],
      ['resources/read', 'resources/read', { 'mcp.resource.uri': 'file:///handbook/a.md' }],
    ] as const) {
      const common = {
        'mcp.method.name': method,
        'mcp.protocol.version': '2025-11-25',
        'network.transport': 'tcp',
        'network.protocol.name': 'http',
        'jsonrpc.request.id': expect.stringMatching(/^\d$/),
        ...about,
      }
      expect(told(SpanKind.SERVER, name)).toMatchObject({ ...common, 'remit.decision.effect': 'Allow' })
      expect(told(SpanKind.CLIENT, name)).toEqual({ ...common, ...at, 'remit.server': 'raw', 'remit.outcome': 'ok' })
    }
    expect(JSON.stringify(gate.spans.map(({ attributes }) => attributes))).not.toContain('secret')
  })

  it('tells nobody what a server writes where a code belongs', async () => {
    world = createWorld()
    const codes: unknown[] = [-32602, 'the customer is Wanda', 'wanda']
    const server = await startRawServer((call, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const error = { code: codes[call.id - 1], message: 'no' }
      response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error }))
    })
    world.onClose(server.close)
    const gate = await watched({ servers: { raw: server.url } })
    const session = await openSession(`${gate.url}/mcp/raw`)
    for (const id of codes.keys())
      await (await post(`${gate.url}/mcp/raw`, message(id + 1, 'tools/call', { name: 'anything' }), session)).text()
    await gate.close()
    const calls = gate.spans.filter(({ name }) => name === 'tools/call anything')
    expect(calls.map(({ attributes }) => [attributes['error.type'], attributes['rpc.response.status_code']])).toEqual([
      ['-32602', '-32602'],
      ['-32602', '-32602'],
      ...Array.from({ length: 4 }, () => ['_OTHER', undefined]),
    ])
    const labels = gate.metrics.flatMap(({ dataPoints }) => dataPoints.map(({ attributes }) => attributes))
    expect(JSON.stringify([gate.spans.map(({ attributes, status }) => [attributes, status]), labels])).not.toMatch(
      /wanda/i,
    )
  })

  it('tells of a model call', async () => {
    world = createWorld()
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      request.resume()
      seen.push(request.headers.traceparent as string | undefined)
      const usage = { prompt_tokens: 12, completion_tokens: 5 }
      const [status, body] = request.url?.startsWith('/v1/chat')
        ? [200, { model: 'gpt-x-2026', choices: [], usage }]
        : [429, { error: { message: 'quota' } }]
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    world.onClose(() => server.closeAllConnections())
    world.onClose(() => server.close())
    const { port } = server.address() as AddressInfo
    const gate = await watched({ models: { main: `http://127.0.0.1:${port}/v1` } })
    const ask = async (path: string, body: object) =>
      (
        await fetch(`${gate.url}/llm/main${path}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
          },
          body: JSON.stringify(body),
        })
      ).text()
    await ask('/chat/completions?key=k', {
      model: 'gpt-x',
      stream: true,
      messages: [{ role: 'user', content: 'secret' }],
    })
    await ask('/embeddings', { model: 'made-up', input: 'secret' })
    await gate.close()

    const about = (operation: string) => ({
      'gen_ai.operation.name': operation,
      'gen_ai.provider.name': 'openai',
      'remit.model': 'main',
      'server.address': '127.0.0.1',
      'server.port': port,
    })
    const http = (path: string, status: number) => ({
      'http.request.method': 'POST',
      'url.full': `http://127.0.0.1:${port}/v1${path}`,
      'server.address': '127.0.0.1',
      'server.port': port,
      'http.response.status_code': status,
    })
    const [post1, chat, post2, embed] = gate.spans
    expect([chat!, post1!, embed!, post2!].map(shape)).toEqual([
      {
        name: 'chat gpt-x',
        kind: 'CLIENT',
        parent: '00f067aa0ba902b7',
        status: OK,
        attributes: {
          ...about('chat'),
          'gen_ai.request.model': 'gpt-x',
          'gen_ai.request.stream': true,
          'gen_ai.response.model': 'gpt-x-2026',
          'gen_ai.usage.input_tokens': 12,
          'gen_ai.usage.output_tokens': 5,
          'http.response.status_code': 200,
          'remit.decision.effect': 'Allow',
          'remit.outcome': 'ok',
          'remit.receipt': RECEIPT,
        },
      },
      {
        name: 'POST',
        kind: 'CLIENT',
        parent: chat?.spanContext().spanId,
        status: OK,
        attributes: http('/chat/completions', 200),
      },
      {
        name: 'embeddings made-up',
        kind: 'CLIENT',
        parent: '00f067aa0ba902b7',
        status: ERROR,
        attributes: {
          ...about('embeddings'),
          'gen_ai.request.model': 'made-up',
          'http.response.status_code': 429,
          'error.type': '429',
          'remit.decision.effect': 'Allow',
          'remit.outcome': 'error',
          'remit.receipt': RECEIPT,
        },
      },
      {
        name: 'POST',
        kind: 'CLIENT',
        parent: embed?.spanContext().spanId,
        status: ERROR,
        attributes: { ...http('/embeddings', 429), 'error.type': '429' },
      },
    ])
    expect(seen[0]).toBe(`00-4bf92f3577b34da6a3ce929d0e0e4736-${post1?.spanContext().spanId}-01`)
    expect(JSON.stringify(gate.spans.map(({ attributes, events }) => [attributes, events]))).not.toMatch(/secret|key=/)

    const models = { 'gen_ai.request.model': 'gpt-x', 'gen_ai.response.model': 'gpt-x-2026' }
    expect(series(gate.metrics, 'gen_ai.client.operation.duration')).toEqual({
      unit: 's',
      bounds: MODEL_BOUNDS,
      attributes: [
        { ...about('chat'), ...models },
        // No series for each name an agent may make up.
        { ...about('embeddings'), 'error.type': '429' },
      ],
    })
    expect(series(gate.metrics, 'gen_ai.client.token.usage')).toEqual({
      unit: '{token}',
      bounds: TOKEN_BOUNDS,
      attributes: ['input', 'output'].map((type) => ({ ...about('chat'), ...models, 'gen_ai.token.type': type })),
    })
  })
})
