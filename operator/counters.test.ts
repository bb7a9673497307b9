import { expect, test } from 'vitest'
import { parseCounters } from './counters.ts'

test.each([
  [{ agents: { a: { calls: 2, denied: 1, lastAction: { at: 'x', what: 'y' } } } }, ['a']],
  [{ agents: { a: { calls: -1, denied: 1 }, b: { calls: 1 }, c: null, d: { calls: 1.5, denied: 0 } } }, []],
])('only what the wire allows is taken: %#', (value, expected) => {
  expect(Object.keys(parseCounters(value).agents)).toEqual(expected)
})

test.each([null, [], {}, { agents: 3 }])('anything else is refused: %j', (value) => {
  expect(() => parseCounters(value)).toThrow('no counters')
})
