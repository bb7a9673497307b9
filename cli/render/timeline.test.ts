import { expect, test } from 'vitest'
import { type Receipt, receiptName } from '../../lib/api/receipt.ts'
import { intent, sealed } from './fixtures.ts'
import { timelineRows } from './timeline.ts'

test('one row a call with what came of it, and what explains the calls between', () => {
  const incarnation = {
    kind: 'incarnation' as const,
    agent: { id: 'a', namespace: 'payments', name: 'billing-bot' },
    podName: 'agent-billing-bot',
    publicKey: 'k',
    sidecar: { version: '0' },
  }
  const remit = { kind: 'remit' as const, digest: 'ab', generation: 4, epoch: 1 }
  const allowed = intent({ decision: { effect: 'Allow', rule: 'refunds', policy: 'payments/billing', reason: 'yes' } })
  const unfinished = sealed(incarnation, remit, intent(), allowed)
  const name = receiptName((unfinished[3] as Receipt).envelope)
  const closing: Receipt = {
    envelope: { ...(unfinished[3] as Receipt).envelope, seq: 4 },
    body: { kind: 'result', intent: name, outcome: 'ok', durationMs: 3 },
  }
  const columns = (receipts: Receipt[]) =>
    timelineRows(receipts).map(([time, effect, outcome, rule]) => [time, effect, outcome, rule])
  expect(columns([...unfinished, closing])).toEqual([
    ['2026-11-21 02:00:00', '-', '-', '-'],
    ['2026-11-21 02:00:01', '-', '-', '-'],
    ['2026-11-21 02:00:02', 'Deny', 'not made', 'refunds-below-5000'],
    ['2026-11-21 02:00:03', 'Allow', 'ok', 'refunds'],
  ])
  expect(columns(unfinished)[3]).toEqual(['2026-11-21 02:00:03', 'Allow', 'under way', 'refunds'])
  expect(columns([...unfinished, { ...closing, body: { kind: 'orphan', intent: name } }])[3]?.[2]).toBe('unknown')
})

test('a freeze has a row that says whose breaker it was and why', () => {
  const body = {
    kind: 'escalation' as const,
    code: 'AgentFrozen' as const,
    policy: 'payments/billing',
    detail: '3 denials in a row',
  }
  expect(timelineRows(sealed(body))).toEqual([
    ['2026-11-21 02:00:00', '-', 'frozen', '-', expect.any(String), 'frozen by payments/billing: 3 denials in a row'],
  ])
})

test('a resource, a prompt, a request and a task have their rows', () => {
  const rows = (['resource', 'prompt', 'request', 'task'] as const).map((type) => {
    const call = {
      type,
      server: 'docs',
      method: 'x/y',
      name: 'n',
      argumentsDigest: '',
      argumentsBytes: 2,
      arguments: {},
    }
    return timelineRows(sealed(intent({ call })))[0]?.at(-1)
  })
  expect(rows).toEqual([
    'resource n of docs (x/y)',
    'prompt n of docs (x/y) {}',
    'docs asks the agent: x/y {}',
    'task n of docs (x/y)',
  ])
})
