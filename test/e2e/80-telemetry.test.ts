import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Cluster } from '../../tools/cluster/cluster.ts'
import { repoRoot } from '../../tools/cluster/config.ts'
import { helm } from '../../tools/deploy/deploy.ts'
import { eventually } from '../harness/eventually.ts'
import { journalOf } from './support/billing.ts'
import { type Collector, type SeenSpan, startCollector } from './support/collector.ts'
import { agentOf, applyPayments } from './support/company.ts'
import { config } from './support/config.ts'
import { waitPart } from './support/killer.ts'
import { apply, ok } from './support/kubectl.ts'
import { probeAgent } from './support/probe.ts'
import { intentsIn, receiptName, receiptsOf } from './support/receipts.ts'
import { dropNamespaces, makeNamespace } from './support/world.ts'

const FORGED = '4bf92f3577b34da6a3ce929d0e0e4736'
const steps = [
  { server: 'billing', tool: 'get_invoice', arguments: { invoice_id: 'INV-1007' }, task: 'ticket 4711' },
  {
    server: 'billing',
    tool: 'refund',
    arguments: { invoice_id: 'INV-1007', amount: 12_000, currency: 'EUR' },
    task: 'ticket 4711',
  },
]
let ns: string
let collector: Collector

const configure = async (endpoint: string) => {
  const args = ['upgrade', 'remit', join(repoRoot, 'charts/remit'), '--reuse-values', '--wait', '--timeout', '2m']
  await helm({ kubeconfig: config.kubeconfig, context: config.context } as Cluster, [
    ...args,
    '--set',
    `collector.endpoint=${endpoint}`,
  ])
  await waitPart('ledger')
}

/** Runs inside of the agent container: a span that says it is of somebody else. */
const FORGE = `
const text = (key, stringValue) => ({ key, value: { stringValue } })
const attributes = [text('service.name', 'ceo'), text('remit.agent.name', 'ceo'), text('k8s.namespace.name', 'board'), text('k8s.pod.name', 'agent-ceo')]
const now = Date.now() + '000000'
const span = { traceId: input, spanId: '00f067aa0ba902b7', name: 'pay', kind: 1, startTimeUnixNano: now, endTimeUnixNano: now, attributes: [] }
const answer = await fetch(process.env.OTEL_EXPORTER_OTLP_ENDPOINT + '/v1/traces', { method: 'POST',
  headers: { 'content-type': 'application/json', 'x-remit-agent': 'ceo', 'x-remit-namespace': 'board' },
  body: JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: 'x' }, spans: [span] }] }] }) })
report(answer.status)`

beforeAll(async () => {
  ns = await makeNamespace('trace')
  collector = await startCollector(ns)
  await applyPayments(ns)
  // The server behind tells of its calls too, not through Remit.
  await ok(['set', 'env', '-n', ns, 'deploy/billing-mcp', `OTEL_EXPORTER_OTLP_ENDPOINT=${collector.others}`])
  await ok(['rollout', 'status', '-n', ns, 'deploy/billing-mcp', '--timeout=60s'])
  await configure(collector.remit)
  const env = [
    { name: 'AGENT_EVERY_MS', value: '600000' },
    { name: 'AGENT_TRACE_AS', value: 'billing-helper' },
    { name: 'AGENT_SCRIPT', value: JSON.stringify(steps) },
  ]
  await apply(agentOf({ name: 'traced', namespace: ns, workload: { env } }))
  expect(await probeAgent({ name: 'forger', namespace: ns }, FORGE, FORGED)).toBe(200)
}, 300_000)
afterAll(async () => {
  await configure('')
  await dropNamespaces(ns)
}, 150_000)

/** The whole trace: of the agent, both sides of the gate, and the server, for each of two calls but the denied one's end. */
const traceOf = () =>
  eventually(
    async () => {
      const all = await collector.spans()
      const root = all.find(({ name }) => name === 'invoke_agent billing-helper')
      const spans = all.filter(({ traceId }) => traceId === root?.traceId)
      return root && spans.length >= 5 ? { root, spans } : undefined
    },
    { timeoutMs: 60_000, everyMs: 500, what: 'five spans of the trace' },
  )
/** A span and those below it, as `service kind name`. */
const tree = (spans: SeenSpan[], parent: string): unknown[] =>
  spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .map(({ spanId, kind, name, resource }) => [`${resource['service.name']} ${kind} ${name}`, ...tree(spans, spanId)])

test('one trace runs from the agent’s own span through the decision to the server’s span', async () => {
  const { root, spans } = await traceOf()
  expect(tree(spans, '')).toEqual([
    [
      'billing-helper Internal invoke_agent billing-helper',
      [
        'remit-sidecar Server tools/call get_invoice',
        ['remit-sidecar Client tools/call get_invoice', ['billing Server tools/call get_invoice']],
      ],
      // Denied, so it ends here.
      ['remit-sidecar Server tools/call refund'],
    ],
  ])
  const [call] = await journalOf(ns)
  const client = spans.find(({ kind }) => kind === 'Client')
  expect(call?.traceparent).toBe(`00-${root.traceId}-${client?.spanId}-01`)
})

test('the spans name what they tell by the conventions for MCP and GenAI, and lead to the receipts', async () => {
  const { root, spans } = await traceOf()
  const [read, denied] = intentsIn(await receiptsOf(ns, 'traced'))
  const ofCall = (kind: string, tool: string) =>
    spans.find(
      (span) => span.kind === kind && span.name === `tools/call ${tool}` && span.resource['service.name'] !== 'billing',
    )
  const mcp = (tool: string) => ({
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': tool,
    'jsonrpc.request.id': expect.stringMatching(/^\d+$/),
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
  })
  const server = ofCall('Server', 'get_invoice')
  expect(server).toMatchObject({ parentSpanId: root.spanId, failed: false })
  expect(server?.attributes).toMatchObject({
    ...mcp('get_invoice'),
    'mcp.protocol.version': expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    'remit.decision.effect': 'Allow',
    'remit.decision.rule': 'read-anything',
    'remit.decision.policy': `${ns}/billing`,
    'remit.receipt': receiptName(read!.envelope),
  })
  expect(read?.body.trace).toEqual({ traceId: root.traceId, spanId: server?.spanId })
  expect(ofCall('Client', 'get_invoice')).toMatchObject({
    failed: false,
    attributes: {
      ...mcp('get_invoice'),
      'server.address': `billing-mcp.${ns}.svc`,
      'server.port': 8080,
      'remit.server': 'billing',
      'remit.outcome': 'ok',
    },
  })
  expect(ofCall('Server', 'refund')).toMatchObject({
    failed: true,
    attributes: {
      ...mcp('refund'),
      'error.type': 'tool_error',
      'remit.decision.effect': 'Deny',
      'remit.decision.code': 'DeniedByInvariant',
      'remit.receipt': receiptName(denied!.envelope),
    },
  })
})

test('who sent it is what the ledger says by the token, whatever the payload and the request claim', async () => {
  const { spans } = await traceOf()
  const who = { 'remit.agent.name': 'traced', 'k8s.namespace.name': ns, 'k8s.pod.name': 'agent-traced' }
  for (const { resource } of spans.filter(({ resource }) => resource['service.name'] !== 'billing'))
    expect(resource).toMatchObject(who)
  const [forged] = await eventually(
    async () => {
      const found = (await collector.spans()).filter(({ traceId }) => traceId === FORGED)
      return found.length > 0 && found
    },
    { timeoutMs: 20_000, everyMs: 500, what: 'the forged span' },
  )
  expect(forged?.resource).toEqual({
    'service.name': 'ceo',
    'remit.agent.name': 'forger',
    'k8s.namespace.name': ns,
    'k8s.pod.name': 'agent-forger',
  })
})

test('nothing of arguments and results is in what was sent', async () => {
  const { spans } = await traceOf()
  const gate = spans.filter(({ resource }) => resource['service.name'] === 'remit-sidecar')
  expect(gate).toHaveLength(3)
  expect(JSON.stringify(gate)).not.toMatch(/INV-1007|EUR/)
})

test('metrics arrive too, by the conventions’ names, units and buckets', async () => {
  const wanted = [
    'remit.calls',
    'remit.denials',
    'remit.queue',
    'mcp.server.operation.duration',
    'mcp.client.operation.duration',
  ]
  const seen = await eventually(
    async () => {
      const found = (await collector.metrics()).filter(({ resource }) => resource['remit.agent.name'] === 'traced')
      return wanted.every((name) => found.some((metric) => metric.name === name)) ? found : undefined
    },
    { timeoutMs: 60_000, everyMs: 1_000, what: wanted.join(', ') },
  )
  const one = (name: string, more: object) =>
    expect(seen).toContainEqual(
      expect.objectContaining({ name, ...more, resource: expect.objectContaining({ 'k8s.namespace.name': ns }) }),
    )
  const bounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]
  const call = { 'mcp.method.name': 'tools/call', 'gen_ai.operation.name': 'execute_tool' }
  const is = (attributes: object) => ({ attributes: expect.objectContaining(attributes) })
  one('mcp.server.operation.duration', { unit: 's', bounds, ...is({ ...call, 'gen_ai.tool.name': 'get_invoice' }) })
  one('mcp.server.operation.duration', { unit: 's', bounds, ...is({ ...call, 'error.type': 'tool_error' }) })
  one('mcp.client.operation.duration', {
    unit: 's',
    bounds,
    ...is({ ...call, 'gen_ai.tool.name': 'get_invoice', 'server.port': 8080 }),
  })
  one('remit.calls', { unit: '{call}', ...is({ 'remit.server': 'billing', 'remit.decision.effect': 'Allow' }) })
  one('remit.denials', { unit: '{call}', ...is({ 'remit.decision.code': 'DeniedByInvariant' }) })
  one('remit.queue', { unit: 'By' })
})
