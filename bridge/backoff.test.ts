import { expect, it } from 'vitest'
import { createBackoff, delayAfter } from './backoff.ts'

it('waits longer with each failure, and never longer than half a minute', () => {
  expect([0, 1, 2, 3, 7, 8, 1_000].map(delayAfter)).toEqual([0, 250, 500, 1_000, 16_000, 30_000, 30_000])
})

it('begins anew after a process that lived for a while', () => {
  let time = 100_000
  const backoff = createBackoff(() => time)
  expect(backoff.remaining()).toBeLessThanOrEqual(0)
  for (const delay of [250, 500, 1_000]) {
    backoff.failed(time)
    expect(backoff.remaining()).toBe(delay)
  }
  const startedAt = time
  time += 10_000
  backoff.failed(startedAt)
  expect(backoff.remaining()).toBe(250)
})
