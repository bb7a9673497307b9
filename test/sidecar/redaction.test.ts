import { createHash, createHmac } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { AggregationTemporality, InMemoryMetricExporter } from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace'
import { afterEach, describe, expect, it } from 'vitest'
import { canonical } from '../../lib/core/canonical.ts'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, startRawServer } from './raw-server.ts'
import { startTickets, ticketPolicy } from './tickets.ts'
import { bodies, connect, createWorld, openGate, readReceipts, textOf, type World } from './world.ts'

const SECRET = 'DE02120300000000202050'
const POLICY = ticketPolicy(`
tools:
- {name: all, match: {tools: ["get_*", "tell_*", anything]}, effect: Allow}
- {name: changes, match: {tools: [update_ticket]}, effect: Allow, where: [{arg: iban, prefix: "DE75"}], otherwise: Deny}
redact:
- {match: {tools: ["get_*", "tell_*", anything]}, results: [customer.iban]}
- {match: {tools: [update_ticket]}, arguments: [iban]}
`)

describe('redaction', () => {
  let world: World
  afterEach(() => world.close())
  /** Everything the gate has written to its directory. */
  const written = () =>
    readdirSync(world.path('data'))
      .map((name) => readFileSync(world.path(`data/${name}`), 'utf8'))
      .join('\n')
  const commitment = { 'dev.remit/commitment': expect.stringMatching(/^sha256:[0-9a-f]{64}$/) }

  it('keeps values of results from the agent, the record and the traces, and nothing else', async () => {
    world = createWorld()
    const tickets = await startTickets(world)
    const spans: ReadableSpan[] = []
    const exporter = new InMemorySpanExporter()
    exporter.export = (batch, done) => {
      spans.push(...batch)
      done({ code: 0 })
    }
    const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const gate = await openGate(world, {
      policy: POLICY,
      servers: { tickets: tickets.url },
      exporters: { spans: exporter, metrics },
    })
    const client = await connect(world, `${gate.url}/mcp/tickets`)
    // The official client holds a structured result against the tool's output schema, which no longer fits.
    const { tools } = await client.listTools()
    expect(tools.find(({ name }) => name === 'get_ticket')).not.toHaveProperty('outputSchema')
    const answer = await client.callTool({ name: 'get_ticket', arguments: { id: 'T-1' } })
    const ticket = { ...tickets.tickets['T-1'], customer: { name: 'Wanda', iban: commitment } }
    expect(answer.structuredContent).toEqual(ticket)
    expect(JSON.parse(textOf(answer))).toEqual(ticket)
    const told = await client.callTool({ name: 'tell_ticket', arguments: { id: 'T-1' } })
    expect(textOf(told)).toBe('The policy withholds this part of the result.')
    const missing = await client.callTool({ name: 'get_ticket', arguments: { id: 'T-9' } })
    expect(missing).toMatchObject({
      isError: true,
      content: [{ text: 'The policy withholds this part of the result.' }],
    })
    await gate.close()
    expect(bodies(readReceipts(world.path('data')), 'result').map(({ outcome }) => outcome)).toEqual([
      'ok',
      'ok',
      'error',
    ])
    const traces = JSON.stringify(
      spans.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
    )
    expect(spans.length).toBeGreaterThan(5)
    for (const text of [written(), traces, JSON.stringify([answer, told])]) expect(text).not.toContain(SECRET)
    expect(written()).not.toContain('DE999')
  })

  it('keeps arguments from the record and from what a denial says, and whoever holds the key can show them', async () => {
    world = createWorld()
    const tickets = await startTickets(world)
    const gate = await openGate(world, { policy: POLICY, servers: { tickets: tickets.url } })
    const client = await connect(world, `${gate.url}/mcp/tickets`)
    const update = (iban: string) =>
      client.callTool({ name: 'update_ticket', arguments: { ticket_id: 'T-1', status: 'open', iban } })
    const denied = await update(SECRET)
    expect(denied.isError).toBe(true)
    expect(textOf(denied)).toMatch(/iban is withheld/)
    expect(textOf(await update('DE75512108001245126199'))).toBe('changed')
    expect(tickets.tickets['T-1']?.customer.iban).toBe('DE75512108001245126199')
    for (const text of [written(), JSON.stringify(denied)])
      expect(text).not.toMatch(/DE02120300000000202050|DE75512108001245126199/)

    const [first, second] = bodies(readReceipts(world.path('data')), 'intent')
    if (first?.call.type !== 'tool' || second?.call.type !== 'tool') throw new Error('not calls of tools')
    expect(second.call).toMatchObject({
      salted: true,
      arguments: { ticket_id: 'T-1', status: 'open', iban: commitment },
    })
    const key = Buffer.from(readFileSync(world.path('data/commitment.key'), 'utf8'), 'hex')
    expect(statSync(world.path('data/commitment.key')).mode & 0o777).toBe(0o600)
    const { traceId, spanId } = second.trace!
    const salted = (where: string, text: string) => {
      const salt = createHmac('sha256', key).update(`${traceId}/${spanId}/arguments/${where}`).digest()
      return createHash('sha256').update(salt).update(text).digest('hex')
    }
    expect((second.call.arguments as { iban: unknown }).iban).toEqual({
      'dev.remit/commitment': `sha256:${salted('iban', canonical('DE75512108001245126199'))}`,
    })
    const bytes = JSON.stringify({ ticket_id: 'T-1', status: 'open', iban: 'DE75512108001245126199' })
    expect(second.call.argumentsDigest).toBe(salted('', bytes))
    expect(second.call.argumentsDigest).not.toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('holds on streams, for errors of the protocol, for what servers log, and wherever a server repeats a value', async () => {
    world = createWorld()
    const value = { customer: { iban: SECRET } }
    const server = await startRawServer((call, response) => {
      const kind = (call.params?.arguments as { kind?: string })?.kind
      if (kind === 'error') {
        response.writeHead(200, { 'content-type': 'application/json' })
        const error = { code: -32000, message: `no ${SECRET}`, data: SECRET }
        response.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error }))
        return
      }
      if (kind === 'deep')
        return answerWith(response, call.id, {
          content: [{ type: 'text', text: `{"customer":{"iban":${'['.repeat(200_000)}${']'.repeat(200_000)}}}` }],
        })
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const send = (data: object) => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...data })}\n\n`)
      send({ method: 'notifications/message', params: { level: 'info', data: SECRET } })
      send({ method: 'notifications/progress', params: { progressToken: 1, progress: 0.5, message: SECRET } })
      send({
        id: call.id,
        extra: SECRET,
        result: {
          content: [
            { type: 'text', text: JSON.stringify(value), annotations: { note: SECRET } },
            { type: 'text', text: JSON.stringify([SECRET]) },
            { type: 'resource', resource: { uri: 'x:y', text: SECRET } },
            { type: 'text', text: '{"customer":{"IBAN":"DE02120300000000202050"}}' },
          ],
          structuredContent: { customer: JSON.stringify(value.customer) },
          _meta: { note: SECRET },
        },
      })
      response.end()
    })
    world.onClose(server.close)
    const gate = await openGate(world, { policy: POLICY, servers: { raw: server.url } })
    const url = `${gate.url}/mcp/raw`
    const session = await openSession(url)
    const call = async (id: number, kind: string) =>
      (await post(url, message(id, 'tools/call', { name: 'anything', arguments: { kind } }), session)).text()
    const stream = await call(1, 'stream')
    expect(stream).toContain('"progress":0.5')
    const answer = JSON.parse(
      stream
        .split('\n')
        .findLast((line) => line.startsWith('data: '))!
        .slice(6),
    )
    expect(answer.result).toEqual({
      content: [
        { type: 'text', text: expect.stringMatching(/^\{"customer":\{"iban":\{"dev\.remit\/commitment"/) },
        { type: 'text', text: expect.stringMatching(/^\{"dev\.remit\/commitment"/) },
        { type: 'text', text: expect.stringMatching(/^\{"customer":\{"IBAN":\{"dev\.remit\/commitment"/) },
        { type: 'text', text: 'The policy withholds this part of the result.' },
      ],
      structuredContent: { customer: commitment },
    })
    const error = await call(2, 'error')
    expect(JSON.parse(error).error).toEqual({ code: -32000, message: 'The policy withholds this part of the result.' })
    const deep = await call(3, 'deep')
    expect(deep).not.toContain('[[[[')
    for (const text of [stream, error, written()]) expect(text).not.toContain(SECRET)
    const results = bodies(readReceipts(world.path('data')), 'result')
    expect(results).toHaveLength(3)
  })
})
