import { expect, test } from 'vitest'
import type { Json } from '../../lib/core/strict.ts'
import { misfitOf } from './shape.ts'

const HASH = 'ab'.repeat(32)
const receipt = (kind: string, body: object): Json =>
  ({
    envelope: {
      v: 1,
      kind,
      agent: 'id',
      incarnation: 'abcdefabcdef',
      epoch: 1,
      seq: 3,
      prev: HASH,
      time: '2026-10-05T02:00:00.000Z',
      body: HASH,
      sig: 'x'.repeat(86),
    },
    body: { kind, ...body },
  }) as unknown as Json
const intent = (call: object) =>
  receipt('intent', {
    agent: { id: 'id', namespace: 'payments', name: 'bot', createdBy: { username: 'ana', at: '' } },
    owner: { group: 'team', onCall: [] },
    remit: { digest: HASH, generation: 1 },
    call: { server: 'docs', method: 'm', name: 'n', argumentsDigest: HASH, argumentsBytes: 2, ...call },
    decision: { effect: 'Allow', reason: 'so' },
  })

test.each(['resource', 'prompt', 'request', 'completion', 'task'])('an intent of type %s is taken', (type) => {
  expect(misfitOf(intent({ type }))).toBeUndefined()
  expect(misfitOf(intent({ type, intent: 'abcdefabcdef-2' }))).toBeUndefined()
})

test.each<[string, object]>([
  ['call.type', { type: 'root' }],
  ['call.server', { type: 'resource', server: undefined }],
  ['call.method', { type: 'prompt', method: 'x'.repeat(254) }],
  ['call.name', { type: 'resource', name: 7 }],
  ['call.name', { type: 'resource', name: 'x'.repeat(2_049) }],
  ['call.argumentsDigest', { type: 'request', argumentsDigest: 'x' }],
  ['call.argumentsBytes', { type: 'request', argumentsBytes: -1 }],
  ['call.intent', { type: 'task', intent: 'the first one' }],
])('%s must be what it says: %j', (path, call) => {
  expect(misfitOf(intent(call))).toBe(`body.${path}`)
})

test('a server may ask for input, or go on by itself', () => {
  const result = (outcome: string) => misfitOf(receipt('result', { intent: 'abcdefabcdef-2', outcome, durationMs: 1 }))
  expect([result('input'), result('task'), result('maybe')]).toEqual([undefined, undefined, 'body.outcome'])
})
