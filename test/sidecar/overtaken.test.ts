import { afterAll, expect, it } from 'vitest'
import { message, openSession, post } from './raw-agent.ts'
import { answerWith, startRawServer } from './raw-server.ts'
import { openUnder, remitFor } from './remit-gate.ts'
import { bodies, createWorld, readReceipts } from './world.ts'

const world = createWorld()
afterAll(() => world.close())

it('a call that was allowed while a slow disk took its intent is decided again when the remit is another by then', async () => {
  const server = await startRawServer((call, response) => answerWith(response, call.id, { content: [] }))
  world.onClose(server.close)
  let written = () => {}
  const { url, dir, authority } = await openUnder(world, remitFor(server.url), {
    watched: (spool) => ({
      ...spool,
      record: async (body) => {
        const envelope = await spool.record(body)
        if (body.kind === 'intent') written()
        return envelope
      },
    }),
  })
  const session = await openSession(url)
  const call = async (id: number) => (await post(url, message(id, 'tools/call', { name: 'a' }), session)).text()
  expect(await call(1)).not.toContain('isError')
  const denied = remitFor(server.url, {
    generation: 2,
    rules: [{ policy: 'p', mode: 'Enforce', type: 'tool', name: 'all', match: { tools: ['*'] }, effect: 'Deny' }],
  })
  written = () => void authority.accept(denied)
  expect(await call(2)).toContain('DeniedByRule')
  expect(server.messages().filter(({ method }) => method === 'tools/call')).toHaveLength(1)
  const receipts = readReceipts(dir)
  expect(bodies(receipts, 'intent').map(({ decision }) => decision.effect)).toEqual(['Allow', 'Allow', 'Deny'])
  expect(bodies(receipts, 'result').map(({ outcome }) => outcome)).toEqual(['ok', 'error'])
})
