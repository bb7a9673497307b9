import { expect, test } from 'vitest'
import type { Clock } from '../lib/kube/clock.ts'
import { type CountersOptions, parseCounters, runCounters } from './counters.ts'

test.each([
  [{ agents: { a: { calls: 2, denied: 1, lastAction: { at: 'x', what: 'y' } } } }, ['a']],
  [{ agents: { a: { calls: -1, denied: 1 }, b: { calls: 1 }, c: null, d: { calls: 1.5, denied: 0 } } }, []],
])('only what the wire allows is taken: %#', (value, expected) => {
  expect(Object.keys(parseCounters(value).agents)).toEqual(expected)
})

test.each([null, [], {}, { agents: 3 }])('anything else is refused: %j', (value) => {
  expect(() => parseCounters(value)).toThrow('no counters')
})

test('a ledger that does not answer is asked again soon, one that does once in the interval', async () => {
  const waited: number[] = []
  const stop = new AbortController()
  const clock: Clock = {
    now: () => 0,
    after: (ms, fn) => {
      waited.push(ms)
      if (waited.length === 3) stop.abort()
      queueMicrotask(fn)
      return () => {}
    },
  }
  const answers = [new Error('not yet'), { agents: {} }, { agents: {} }]
  const options = {
    caches: { agents: { synced: async () => {}, cache: { list: () => [] } } },
    log: { warn: () => {} },
    clock,
    everyMs: 60_000,
    fetch: async () => {
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      return answer
    },
  } as unknown as CountersOptions
  await runCounters(options, stop.signal)
  expect(waited).toEqual([5_000, 60_000, 60_000])
})
