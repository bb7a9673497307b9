import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTickets, type Tickets, ticketPolicy } from './tickets.ts'
import { bodies, connect, createWorld, openGate, readReceipts, textOf } from './world.ts'

const POLICY = ticketPolicy(`
tools:
- name: reads
  match: {tools: ["get_*", "tell_*"]}
  class: Read
- name: own-tickets
  match: {tools: [update_ticket]}
  class: Write
  effect: Allow
  fields: [ticket_id, status, iban]
  where: [{arg: ticket_id, prefix: "T-"}]
  object:
    read: tickets/get_ticket
    with: {id: ticket_id}
    where: [{arg: owner, equals: support}]
- name: notes
  match: {servers: [desk], tools: [add_note]}
  class: Write
  effect: Allow
  object: {read: tickets/get_ticket, with: {id: ticket_id}, where: [{arg: status, equals: open}]}
- name: notes-are-drafts
  match: {servers: [tickets], tools: [add_note]}
  class: Draft
redact:
- match: {tools: [get_ticket]}
  results: [customer.iban]
- match: {tools: [add_note]}
  arguments: [note]
`)

describe('writes to objects', () => {
  const world = createWorld()
  let tickets: Tickets
  let desk: Tickets
  let client: Client
  let atDesk: Client
  let url = ''
  beforeAll(async () => {
    tickets = await startTickets(world)
    desk = await startTickets(world)
    const gate = await openGate(world, { policy: POLICY, servers: { tickets: tickets.url, desk: desk.url } })
    url = `${gate.url}/mcp/tickets`
    client = await connect(world, url)
    atDesk = await connect(world, `${gate.url}/mcp/desk`)
  })
  afterAll(() => world.close())
  const receipts = () => readReceipts(world.path('data'))
  const update = (args: Record<string, unknown>) => client.callTool({ name: 'update_ticket', arguments: args })
  const reads = () => tickets.calls.filter(({ tool }) => tool === 'get_ticket').length

  it('are decided by the object as it is, and record what they changed of it', async () => {
    const answer = await update({ ticket_id: 'T-1', status: 'solved' })
    expect([answer.isError, textOf(answer)]).toEqual([undefined, 'changed'])
    expect(tickets.tickets['T-1']?.status).toBe('solved')
    const intent = bodies(receipts(), 'intent').at(-1)
    expect(intent).toMatchObject({
      object: { read: 'tickets/get_ticket', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      call: { class: 'Write' },
    })
    expect(bodies(receipts(), 'result').at(-1)?.changed).toEqual([{ path: 'status', old: 'open', new: 'solved' }])
  })

  it('are denied when it is somebody else’s, and when it cannot be read', async () => {
    const other = await update({ ticket_id: 'T-2', status: 'solved' })
    expect(other.isError).toBe(true)
    expect(textOf(other)).toMatch(/owner is "?finance/)
    const missing = await update({ ticket_id: 'T-9', status: 'solved' })
    expect(textOf(missing)).toContain('the tool says it failed')
    expect(tickets.tickets['T-2']?.status).toBe('open')
    expect(tickets.calls.filter(({ tool }) => tool === 'update_ticket')).toHaveLength(1)
  })

  it('are not looked into when they are denied anyway', async () => {
    const before = reads()
    expect((await update({ ticket_id: 'X-1', status: 'solved' })).isError).toBe(true)
    expect((await update({ ticket_id: 'T-1', owner: 'me' })).isError).toBe(true)
    expect(reads()).toBe(before)
  })

  it('do not show in the record what is redacted of the object', async () => {
    await update({ ticket_id: 'T-1', iban: 'DE75512108001245126199' })
    const [change] = bodies(receipts(), 'result').at(-1)?.changed ?? []
    const commitment = { 'dev.remit/commitment': expect.stringMatching(/^sha256:/) }
    expect(change).toEqual({ path: 'customer.iban', old: commitment, new: commitment })
    expect(change?.old).not.toEqual(change?.new)
  })

  it('of one server are decided by an object of another, in a session of the gate’s own that it begins anew', async () => {
    const note = (id: string) => atDesk.callTool({ name: 'add_note', arguments: { ticket_id: id, note: 'hello' } })
    expect(textOf(await note('T-2'))).toBe('noted')
    expect(textOf(await note('T-1'))).toMatch(/status is "?solved/)
    tickets.forgetSessions()
    expect(textOf(await note('T-2'))).toBe('noted')
    expect(desk.calls.map(({ tool }) => tool)).toEqual(['add_note', 'add_note'])
  })

  it('may only be drafted: the agent is told what would be done, and nothing is', async () => {
    const fresh = await connect(world, url)
    const answer = await fresh.callTool({ name: 'add_note', arguments: { ticket_id: 'T-1', note: 'my secret note' } })
    const text = textOf(answer)
    expect(text).toMatch(/^Draft: tickets\/add_note would be called with \{"ticket_id":"T-1","note":\{"dev\.remit/)
    expect(text).toContain('Nothing was done.')
    const intent = bodies(receipts(), 'intent').at(-1)
    expect(answer).toMatchObject({ isError: true, _meta: { 'dev.remit/effect': 'Draft' } })
    expect(text).toContain(String(answer._meta?.['dev.remit/receipt']))
    expect(intent).toMatchObject({ decision: { effect: 'Draft' }, call: { salted: true } })
    expect(JSON.stringify([answer, intent])).not.toContain('my secret note')
    expect(tickets.calls.filter(({ tool }) => tool === 'add_note')).toEqual([])
  })

  it('are no calls at all in a session that the server has forgotten: the agent begins another', async () => {
    await expect(update({ ticket_id: 'T-1', status: 'closed' })).rejects.toThrow(/no such session/)
    client = await connect(world, url)
  })

  it('leave the pod with a trace id, those of the gate itself among them', async () => {
    await update({ ticket_id: 'T-1', status: 'closed' })
    const trace = bodies(receipts(), 'intent').at(-1)?.trace?.traceId
    expect(trace).toMatch(/^[0-9a-f]{32}$/)
    expect(tickets.calls.slice(-3).map(({ tool, traceparent }) => [tool, String(traceparent).split('-')[1]])).toEqual([
      ['get_ticket', trace],
      ['update_ticket', trace],
      ['get_ticket', trace],
    ])
    for (const { trace: each } of bodies(receipts(), 'intent')) {
      expect(each?.traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/)
      expect(each?.spanId).toMatch(/^(?!0+$)[0-9a-f]{16}$/)
    }
  })
})
