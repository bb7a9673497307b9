import { expect, test } from 'vitest'
import type { Clock } from '../lib/kube/clock.ts'
import { createFreezes, parseFreezes, runFreezes } from './freezes.ts'

const freeze = { at: '2026-11-21T01:30:00.250Z', policy: 'payments/billing', detail: '3 denials in a row' }

test('an entry that is not as the wire says is left out', () => {
  const agents = {
    good: { ...freeze, more: 1 },
    time: { ...freeze, at: 'yesterday' },
    none: null,
    long: { ...freeze, detail: 'x'.repeat(3_000) },
    half: { at: freeze.at },
  }
  expect([...parseFreezes({ agents })]).toEqual([['good', freeze]])
})

test.each([null, [], {}, { agents: 3 }])('anything else is refused: %j', (value) => {
  expect(() => parseFreezes(value)).toThrow('no freezes')
})

test('tells what is new, and keeps what an answer has lost', () => {
  const freezes = createFreezes()
  const told: string[][] = []
  const stop = freezes.onChange((ids) => told.push(ids))
  freezes.take(new Map([['a', freeze]]))
  freezes.take(new Map([['a', freeze]]))
  freezes.take(new Map())
  const later = { ...freeze, at: '2026-11-21T01:40:00Z' }
  freezes.take(
    new Map([
      ['a', later],
      ['b', freeze],
    ]),
  )
  expect(told).toEqual([['a'], ['a', 'b']])
  expect(freezes.get('a')).toEqual(later)
  stop()
  freezes.take(new Map([['c', freeze]]))
  expect(told).toHaveLength(2)
})

test('a ledger that is away for long is said once, and what was known stands', async () => {
  const stop = new AbortController()
  const answers: unknown[] = [{ agents: { a: freeze } }, new Error('away'), new Error('away'), { agents: {} }]
  const clock: Clock = {
    now: () => 0,
    after: (ms, fn) => {
      expect(ms).toBe(5_000)
      if (answers.length === 0) stop.abort()
      queueMicrotask(fn)
      return () => {}
    },
  }
  const warnings: unknown[] = []
  const freezes = createFreezes()
  const fetch = async () => {
    const answer = answers.shift()
    if (answer instanceof Error) throw answer
    return answer
  }
  const log = { warn: (...what: unknown[]) => warnings.push(what) } as never
  await runFreezes({ freezes, log, clock, everyMs: 5_000, fetch }, stop.signal)
  expect(warnings).toHaveLength(1)
  expect(freezes.get('a')).toEqual(freeze)
})
