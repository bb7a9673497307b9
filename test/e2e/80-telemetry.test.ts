import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { get } from '../../lib/kube/objects.ts'
import { services } from '../../lib/kube/resources.ts'
import type { Cluster } from '../../tools/cluster/cluster.ts'
import { repoRoot } from '../../tools/cluster/config.ts'
import { helm } from '../../tools/deploy/deploy.ts'
import { eventually } from '../harness/eventually.ts'
import { journalOf } from './support/billing.ts'
import { applyPayments } from './support/company.ts'
import { config } from './support/config.ts'
import { waitPart } from './support/killer.ts'
import { probeAgent } from './support/probe.ts'
import { intentsIn, receiptName, receiptsOf } from './support/receipts.ts'
import { printedBy, serve } from './support/serve.ts'
import { client, dropNamespaces, makeNamespace } from './support/world.ts'

interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: number | string }
}
interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  attributes: Attribute[]
}
interface Sent {
  path: string
  namespace?: string
  agent?: string
  body: {
    resourceSpans?: { resource: { attributes: Attribute[] }; scopeSpans: { spans: Span[] }[] }[]
    resourceMetrics?: { scopeMetrics: { metrics: { name: string }[] }[] }[]
  }
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
/** OTLP's numbers of span kinds. */
const SERVER = 2
const CLIENT = 3
let ns: string

const configure = async (endpoint: string) => {
  const args = ['upgrade', 'remit', join(repoRoot, 'charts/remit'), '--reuse-values', '--wait', '--timeout', '2m']
  await helm({ kubeconfig: config.kubeconfig, context: config.context } as Cluster, [
    ...args,
    '--set',
    `collector.endpoint=${endpoint}`,
  ])
  await waitPart('ledger')
}

/** Runs inside of the agent container: one call in a trace the agent began, and a span of its own. */
const CALL = `
const url = 'http://127.0.0.1:7480/mcp/billing'
const post = async (message, session) => {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', ...message }), headers: {
    'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25',
    ...(session ? { 'mcp-session-id': session } : {}) } })
  return { status: answer.status, session: answer.headers.get('mcp-session-id'), text: await answer.text() }
}
const hello = await post({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'traced', version: '1' } } })
await post({ method: 'notifications/initialized' }, hello.session)
const call = await post({ id: 2, method: 'tools/call', params: { name: 'get_invoice', arguments: { invoice_id: 'INV-1007' },
  _meta: { traceparent: '00-' + input.trace + '-' + input.parent + '-01' } } }, hello.session)
const now = Date.now() + '000000'
const own = await fetch(process.env.OTEL_EXPORTER_OTLP_ENDPOINT + '/v1/traces', { method: 'POST', headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: { name: 'agent' }, spans: [
    { traceId: input.trace, spanId: input.parent, name: 'answer a customer', kind: 1, startTimeUnixNano: now, endTimeUnixNano: now, attributes: [] }] }] }] }) })
report({ call, own: own.status })`

beforeAll(async () => {
  ns = await makeNamespace('trace')
  await applyPayments(ns)
  await serve(ns, 'collector')
  const ip = (await get(client, services, { namespace: ns, name: 'collector' })).spec?.clusterIP
  await configure(`http://${ip}:8080`)
  const seen = await probeAgent<{ call: { status: number; text: string }; own: number }>(
    { name: 'traced', namespace: ns },
    CALL,
    { trace: TRACE, parent: PARENT },
  )
  expect(seen).toMatchObject({ call: { status: 200, text: expect.stringContaining('INV-1007') }, own: 200 })
}, 240_000)
afterAll(async () => {
  await configure('')
  await dropNamespaces(ns)
}, 150_000)

const sent = () => printedBy<Sent>(ns, 'collector').then((lines) => lines.filter(({ body }) => body))
const spansOf = (lines: Sent[]) =>
  lines.flatMap(({ body, agent, namespace }) =>
    (body.resourceSpans ?? []).flatMap(({ scopeSpans, resource }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans
          .filter(({ traceId }) => traceId === TRACE)
          .map((span) => ({
            ...span,
            agent,
            namespace,
            resource: asObject(resource.attributes),
            attributes: asObject(span.attributes),
          })),
      ),
    ),
  )
const asObject = (attributes: Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]))

test('one trace runs from the agent’s own span through the decision to the server', async () => {
  const spans = await eventually(
    async () => {
      const found = spansOf(await sent())
      return found.length >= 3 ? found : undefined
    },
    { timeoutMs: 40_000, everyMs: 500, what: 'three spans of the trace' },
  )
  const [own, server, upstream] = [1, SERVER, CLIENT].map((kind) => spans.find((span) => span.kind === kind))
  expect(own).toMatchObject({ name: 'answer a customer', spanId: PARENT, agent: 'traced', namespace: ns })
  expect(server).toMatchObject({ name: 'tools/call get_invoice', parentSpanId: PARENT, agent: 'traced', namespace: ns })
  expect(upstream).toMatchObject({ name: 'tools/call get_invoice', parentSpanId: server?.spanId })
  expect(server?.resource).toMatchObject({ 'service.name': 'remit-sidecar', 'remit.agent.name': 'traced' })
  const [intent] = intentsIn(await receiptsOf(ns, 'traced'))
  expect(server?.attributes).toMatchObject({
    'mcp.method.name': 'tools/call',
    'gen_ai.tool.name': 'get_invoice',
    'remit.decision.effect': 'Allow',
    'remit.decision.rule': 'read-anything',
    'remit.receipt': receiptName(intent!.envelope),
  })
  expect(intent?.body.trace).toEqual({ traceId: TRACE, spanId: server?.spanId })
  const [call] = await journalOf(ns)
  expect(call?.traceparent).toBe(`00-${TRACE}-${upstream?.spanId}-01`)
})

test('metrics of calls arrive too', async () => {
  const wanted = ['remit.calls', 'mcp.server.operation.duration', 'mcp.client.operation.duration', 'remit.queue']
  const names = await eventually(
    async () => {
      const found = new Set(
        (await sent()).flatMap(({ body }) =>
          (body.resourceMetrics ?? []).flatMap(({ scopeMetrics }) =>
            scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }) => name)),
          ),
        ),
      )
      return wanted.every((name) => found.has(name)) ? found : undefined
    },
    { timeoutMs: 60_000, everyMs: 1_000, what: wanted.join(', ') },
  )
  expect(names.size).toBeGreaterThanOrEqual(wanted.length)
})
