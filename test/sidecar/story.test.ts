import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyReceipts } from '../../lib/core/chain.ts'
import type { Standalone } from '../../sidecar/standalone.ts'
import {
  type Billing,
  bodies,
  connect,
  createWorld,
  openGate,
  readReceipts,
  startBilling,
  startEverything,
  TOKEN,
  textOf,
} from './world.ts'

describe('an agent on the official client, through the gate, to real servers', () => {
  const world = createWorld()
  let billing: Billing
  let gate: Standalone
  const receipts = () => readReceipts(world.path('data'))

  beforeAll(async () => {
    billing = await startBilling(world)
    gate = await openGate(world, { servers: { billing: billing.url, everything: await startEverything(world) } })
  })
  afterAll(() => world.close())

  it('lists only tools a call of which could be allowed', async () => {
    const client = await connect(world, `${gate.url}/mcp/billing`)
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name).sort()).toEqual(['get_invoice', 'list_invoices', 'refund'])
    expect(tools.find((tool) => tool.name === 'refund')?.inputSchema.required).toEqual([
      'invoice_id',
      'amount',
      'currency',
    ])
  })

  it('makes an allowed call with the credential only it has, and records it before and after', async () => {
    const client = await connect(world, `${gate.url}/mcp/billing`)
    const result = await client.callTool({
      name: 'refund',
      arguments: { invoice_id: 'INV-1007', amount: 30, currency: 'EUR' },
      _meta: { 'dev.remit/task': 'ticket 4711', 'dev.remit/reason': 'charged twice' },
    })
    expect(JSON.parse(textOf(result))).toMatchObject({ id: 'INV-1007', refunded: 30 })
    expect(billing.invoices().find(({ id }) => id === 'INV-1007')?.refunded).toBe(30)

    const intent = bodies(receipts(), 'intent').at(-1)!
    expect(intent).toMatchObject({
      call: { server: 'billing', tool: 'refund', arguments: { invoice_id: 'INV-1007', amount: 30, currency: 'EUR' } },
      decision: { effect: 'Allow', rule: 'small-refunds', policy: 'payments/billing' },
      stated: { task: 'ticket 4711', reason: 'charged twice' },
      owner: { onCall: ['ana'] },
    })
    expect(bodies(receipts(), 'result').at(-1)).toMatchObject({
      outcome: 'ok',
      text: expect.stringContaining('INV-1007'),
    })
    const call = billing.calls().at(-1)!
    expect(call.traceparent).toContain(intent.trace!.traceId)
    expect(JSON.stringify(receipts())).not.toContain(TOKEN)
  })

  it('does not make a call that an invariant forbids, and says so in one sentence', async () => {
    const client = await connect(world, `${gate.url}/mcp/billing`)
    const before = billing.calls().length
    const result = await client.callTool({
      name: 'refund',
      arguments: { invoice_id: 'INV-1009', amount: 12_000, currency: 'EUR' },
    })
    expect(result.isError).toBe(true)
    expect(textOf(result)).toMatch(/refunds-below-5000.*invariant/)
    const receipt = receipts().at(-1)!
    expect(result._meta).toEqual({
      'dev.remit/code': 'DeniedByInvariant',
      'dev.remit/receipt': `${receipt.envelope.incarnation}-${receipt.envelope.seq}`,
    })
    expect(receipt.body).toMatchObject({ kind: 'intent', decision: { effect: 'Deny', rule: 'refunds-below-5000' } })
    expect(billing.calls().length).toBe(before)
  })

  it('asks for the person on call where the rule says so', async () => {
    const client = await connect(world, `${gate.url}/mcp/billing`)
    const result = await client.callTool({
      name: 'refund',
      arguments: { invoice_id: 'INV-1009', amount: 60, currency: 'EUR' },
    })
    expect(result._meta?.['dev.remit/code']).toBe('WaitingForPerson')
    expect(textOf(result)).toContain('ana')
  })

  it('denies a hidden tool that is called all the same', async () => {
    const client = await connect(world, `${gate.url}/mcp/billing`)
    const result = await client.callTool({ name: 'delete_invoice', arguments: { invoice_id: 'INV-1010' } })
    expect(result._meta?.['dev.remit/code']).toBe('DeniedByInvariant')
    expect(billing.invoices().some(({ id }) => id === 'INV-1010')).toBe(true)
  })

  it('serves version 1 of the official client the same way', async () => {
    const client = new ClientV1({ name: 'agent-v1', version: '1.0.0' })
    await client.connect(new TransportV1(new URL(`${gate.url}/mcp/billing`)))
    world.onClose(() => client.close())
    expect((await client.listTools()).tools).toHaveLength(3)
    const result = await client.callTool({ name: 'get_invoice', arguments: { invoice_id: 'INV-1008' } })
    expect(textOf(result as { content?: unknown })).toContain('Luis Ortega')
  })

  it('passes progress of a long call through as it comes, and cancels it at the server', async () => {
    const client = await connect(world, `${gate.url}/mcp/everything`)
    const seen: number[] = []
    const result = await client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 4 } },
      { onprogress: ({ progress }) => seen.push(progress) },
    )
    expect(textOf(result)).toContain('Long running operation completed')
    expect(seen).toEqual([1, 2, 3, 4])

    const abort = new AbortController()
    const pending = client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 30, steps: 30 } },
      { signal: abort.signal },
    )
    setTimeout(() => abort.abort('enough'), 200)
    await expect(pending).rejects.toThrow()
    await expect.poll(() => bodies(receipts(), 'result').at(-1)?.outcome, { timeout: 5_000 }).toBe('cancelled')
  })

  it('offers nothing of a server that no rule gives', async () => {
    const client = await connect(world, `${gate.url}/mcp/everything`)
    expect(Object.keys(client.getServerCapabilities() ?? {}).sort()).toEqual(['logging', 'tasks', 'tools'])
    await expect(client.readResource({ uri: 'demo://resource/static/document/features.md' })).rejects.toThrow()
  })

  it('leaves one unbroken chain', () => {
    expect(verifyReceipts(receipts())).toEqual({ ok: true })
  })
})
