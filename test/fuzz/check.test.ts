import { describe, expect, test } from 'vitest'
import { compareForwarded, keptBounds } from './check.ts'
import { LIMITS } from './policy.ts'
import type { Record, Recorded } from './receipts.ts'
import { scan, sliceAt } from './scan.ts'
import type { Forwarded } from './upstream.ts'

// A fuzzer that finds nothing proves something only if it would find what it looks for.

const forwardedOf = (tool: string, more: Partial<Forwarded> = {}): Forwarded => ({
  server: tool === 'send' || tool === 'read_inbox' ? 'mail' : 'bank',
  tool,
  digest: 'd',
  arguments: '{}',
  traceId: 't',
  at: 1_000,
  endedAt: 1_001,
  isError: false,
  ...more,
})
const recordedOf = (tool: string, at: number, args: object = {}, effect = 'Allow'): Recorded => {
  const { server } = forwardedOf(tool)
  const call = { type: 'tool', server, tool, argumentsDigest: 'd', argumentsBytes: 2, arguments: args }
  const intent = { kind: 'intent', call, decision: { effect, reason: '' }, trace: { traceId: 't', spanId: 's' } }
  return { name: `r-${at}`, sentAt: at - 1, at, intent, call, result: { kind: 'result', outcome: 'ok' } } as never
}
const record = (...calls: Recorded[]): Record => ({ calls, freezes: 0, leaks: [] })

describe('what is forwarded', () => {
  const allowed = record(recordedOf('refund', 1))
  test('as allowed is fine', () => expect(compareForwarded(allowed, [forwardedOf('refund')])).toEqual([]))
  test.each<[string, Record, Forwarded[]]>([
    ['not at all', allowed, []],
    ['twice', allowed, [forwardedOf('refund'), forwardedOf('refund')]],
    ['though denied', record(recordedOf('refund', 1, {}, 'Deny')), [forwardedOf('refund')]],
    ['with other arguments', allowed, [forwardedOf('refund', { digest: 'e' })]],
    ['to another tool', allowed, [forwardedOf('transfer')]],
    ['without a receipt', record(), [forwardedOf('refund')]],
  ])('%s is told', (_what, recorded, forwarded) => {
    expect(compareForwarded(recorded, forwarded)).toHaveLength(1)
  })
})

describe('a bound that was broken is told', () => {
  const look = recordedOf('get_invoice', 1, { invoice_id: 'A' })
  const refunds = (count: number, amount: number) =>
    Array.from({ length: count }, (_, index) => recordedOf('refund', 100 + index, { invoice_id: 'A', amount }))
  const { calls, sum } = LIMITS.refund
  const to = (...names: string[]) => names.map((name, index) => recordedOf('send', index + 1, { to: [name] }))
  const lists = (count: number) =>
    Array.from({ length: count }, () => forwardedOf('list_invoices', { at: 1, endedAt: 9 }))
  test.each<[string, Record, Forwarded[], Record, Forwarded[]]>([
    ['calls', record(look, ...refunds(calls, 1)), [], record(look, ...refunds(calls + 1, 1)), []],
    ['a sum', record(look, ...refunds(2, sum / 2)), [], record(look, ...refunds(2, sum / 2 + 0.01)), []],
    ['evidence', record(look, ...refunds(1, 1)), [], record(...refunds(1, 1)), []],
    ['recipients', record(...to('a', 'b', 'a')), [], record(...to('a', 'b', 'c')), []],
    [
      'a taint',
      record(recordedOf('transfer', 1), recordedOf('read_inbox', 10)),
      [],
      record(recordedOf('read_inbox', 1), recordedOf('transfer', 10)),
      [],
    ],
    ['calls at a time', record(), lists(LIMITS.list_invoices.concurrent), record(), lists(3)],
  ])('%s', (_what, kept, keptForwarded, broken, brokenForwarded) => {
    expect(keptBounds(kept, keptForwarded)).toEqual([])
    expect(keptBounds(broken, brokenForwarded).length).toBeGreaterThan(0)
  })
})

test('bytes of a message are found where they stand, and a member given twice is not missed', () => {
  const text = '{"a": {"b":[1, "}\\""], "c" : 1e2 } }'
  expect(sliceAt(text, scan(text), ['a', 'b'])).toBe('[1, "}\\""]')
  expect(sliceAt(text, scan(text), ['a', 'c'])).toBe('1e2')
  expect(sliceAt(text, scan(text), ['x'])).toBeUndefined()
  for (const wrong of ['{"a":1,"\\u0061":2}', '{"a":01}', '[1,]', '{"a":1}x', '"a\nb"'])
    expect(() => scan(wrong)).toThrow()
})
