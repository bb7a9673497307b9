import { expect, it } from 'vitest'
import { delayAfter } from './pool.ts'

it('waits longer with each failure, and never longer than half a minute', () => {
  expect([0, 1, 2, 3, 7, 8, 1_000].map(delayAfter)).toEqual([0, 250, 500, 1_000, 16_000, 30_000, 30_000])
})
