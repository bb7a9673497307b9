import { afterAll, expect, it } from 'vitest'
import type { Remit } from '../../lib/api/remit.ts'
import { startTelemetry } from '../../lib/service/telemetry.ts'
import { createAuthority } from '../../sidecar/authority.ts'
import { startGate } from '../../sidecar/gate.ts'
import { openSpool } from '../../sidecar/spool/spool.ts'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, startRawServer } from './raw-server.ts'
import { bodies, createWorld, readReceipts, silent } from './world.ts'

const world = createWorld()
afterAll(() => world.close())

const agent = {
  id: 'id',
  namespace: 'payments',
  name: 'bot',
  createdBy: { username: 'ana', at: '2026-11-21T10:00:00Z' },
}
const remitFor = (url: string, generation: number, effect: 'Allow' | 'Deny'): Remit => ({
  version: 1,
  cluster: 'c',
  agent,
  generation,
  epoch: 0,
  issuedAt: '2026-11-21T10:00:00Z',
  owner: { group: 'team', spec: { members: [{ name: 'ana' }], onCall: { owner: 'ana' } } },
  rules: [{ policy: 'p', mode: 'Enforce', type: 'tool', name: 'all', match: { tools: ['*'] }, effect }],
  servers: [{ name: 'raw', url }],
  models: [],
  egress: { cidrs: [] },
  sources: [],
})

it('a call that was allowed while a slow disk took its intent is decided again when the remit is another by then', async () => {
  const server = await startRawServer((call, response) => answerWith(response, call.id, { content: [] }))
  world.onClose(server.close)
  const dir = world.path('data')
  const authority = createAuthority({ log: silent })
  authority.accept(remitFor(server.url, 1, 'Allow'))
  const spool = await openSpool({
    dir,
    incarnation: { agent, sidecar: { version: '0' } },
    maxBytes: Number.POSITIVE_INFINITY,
    keep: true,
    now: Date.now,
    epoch: authority.epoch,
    log: silent,
  })
  world.onClose(spool.close)
  let written = () => {}
  const gate = await startGate({
    port: 0,
    authority,
    spool: {
      ...spool,
      record: async (body) => {
        const envelope = await spool.record(body)
        if (body.kind === 'intent') written()
        return envelope
      },
    },
    loadPast: async () => {},
    dir,
    credentials: () => undefined,
    telemetry: startTelemetry({ service: 'test', version: '0' }),
    now: Date.now,
    log: silent,
  })
  world.onClose(() => gate.close())
  const url = `http://127.0.0.1:${gate.port}/mcp/raw`
  const session = await openSession(url)
  const call = async (id: number) => (await post(url, message(id, 'tools/call', { name: 'a' }), session)).text()
  expect(await call(1)).not.toContain('isError')
  written = () => void authority.accept(remitFor(server.url, 2, 'Deny'))
  expect(await call(2)).toContain('DeniedByRule')
  expect(server.messages().filter(({ method }) => method === 'tools/call')).toHaveLength(1)
  const receipts = readReceipts(dir)
  expect(bodies(receipts, 'intent').map(({ decision }) => decision.effect)).toEqual(['Allow', 'Allow', 'Deny'])
  expect(bodies(receipts, 'result').map(({ outcome }) => outcome)).toEqual(['ok', 'error'])
})
