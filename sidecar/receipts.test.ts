import { expect, it } from 'vitest'
import type { Facts } from '../lib/api/receipt.ts'
import { canonical } from '../lib/core/canonical.ts'
import { MAX_BODY_BYTES } from '../lib/core/chain.ts'
import { parsePath, type Step } from '../lib/core/path.ts'
import { prepare } from '../lib/core/prepare.ts'
import type { Json } from '../lib/core/strict.ts'
import { remitOf } from '../lib/core/testing/remit.ts'
import { intentBody, statedBy, toolRecord } from './receipts.ts'

const trace = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) }
const hide = { commit: () => 'hidden', digest: () => 'salted' }
const record = (args: Json, redacted: string[] = [], facts?: Facts) =>
  toolRecord(
    'billing',
    'refund',
    args,
    {
      decision: { effect: 'Allow', reason: '' },
      facts: [],
      findings: [],
      class: 'SideEffect',
      ...(facts ? { record: facts } : {}),
    },
    redacted.map((path) => parsePath(path) as Step[]),
    hide,
  )
const remit = remitOf([{ tools: [{ name: 'all', match: { tools: ['*'] }, effect: 'Allow' }] }])

it.each([
  ['whoever started it is in a thousand groups', 1_000, 10, ''],
  ['what it states escapes to six times its length', 0, 7_000, '\u0001'.repeat(1_000)],
  ['both, beside arguments of megabytes', 1_000, 2_000_000, '\u0001'.repeat(1_000)],
])('an intent fits its receipt when %s', (_when, groups, size, stated) => {
  const createdBy = { ...remit.agent.createdBy, groups: Array.from({ length: groups }, (_, i) => `group-number-${i}`) }
  const started = { ...remit, agent: { ...remit.agent, createdBy } }
  const args = { text: 'x'.repeat(size) }
  const body = intentBody(
    { remit: started, digest: '0'.repeat(64), prepared: prepare(started) },
    record(args),
    { effect: 'Allow', reason: 'all allows billing/refund.' },
    trace,
    statedBy(stated, stated),
    0,
  )
  expect(Buffer.byteLength(canonical(body))).toBeLessThanOrEqual(MAX_BODY_BYTES)
  expect(body).toMatchObject({ agent: { createdBy: { username: createdBy.username } }, call: { tool: 'refund' } })
})

it('shows what limits will ask for, and nothing of what is redacted, not even by a digest that could be guessed', () => {
  expect(record({ amount: 5, iban: 'DE1' }, ['iban'], { amount: [5] })).toEqual({
    type: 'tool',
    server: 'billing',
    tool: 'refund',
    argumentsDigest: 'salted',
    salted: true,
    argumentsBytes: 25,
    arguments: { amount: 5, iban: 'hidden' },
    class: 'SideEffect',
    facts: { amount: [5] },
  })
  expect(record({ amount: 5 }, ['iban'])).not.toHaveProperty('salted')
})
