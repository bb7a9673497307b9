import { expect, test } from 'vitest'
import { quota } from './quota.ts'

test('takes up to its capacity at once, then as fast as it fills', () => {
  let now = 0
  const bytes = quota({ capacity: 100, perSecond: 10, now: () => now })
  expect(bytes.take('a', 60)).toBe(0)
  expect(bytes.take('a', 60)).toBe(2_000)
  expect(bytes.take('b', 100)).toBe(0)
  now = 2_000
  expect(bytes.take('a', 60)).toBe(0)
  expect(bytes.take('a', 1)).toBe(100)
  now = 1_000_000
  expect(bytes.take('a', 101)).toBeGreaterThan(0)
  expect(bytes.take('a', 100)).toBe(0)
})
