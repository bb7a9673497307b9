import { trace } from '@opentelemetry/api'
import { expect, it } from 'vitest'
import { canonical } from '../lib/core/canonical.ts'
import { MAX_BODY_BYTES } from '../lib/core/chain.ts'
import { prepare } from '../lib/core/prepare.ts'
import { remitOf } from '../lib/core/testing/remit.ts'
import { intentBody, statedBy, toolRecord } from './receipts.ts'

const span = trace.getTracer('test').startSpan('test')
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
    toolRecord('billing', 'refund', args, JSON.stringify(args)),
    { effect: 'Allow', reason: 'all allows billing/refund.' },
    span,
    statedBy(stated, stated),
    0,
  )
  expect(Buffer.byteLength(canonical(body))).toBeLessThanOrEqual(MAX_BODY_BYTES)
  expect(body).toMatchObject({ agent: { createdBy: { username: createdBy.username } }, call: { tool: 'refund' } })
})
