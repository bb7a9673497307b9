import { expect, it } from 'vitest'
import { createSteadyClock } from './steady.ts'

it('begins with the time of day and goes on by the monotonic clock alone', () => {
  let wall = 1_000_000
  let ticks = 50
  const steady = createSteadyClock(
    () => wall,
    () => ticks,
  )
  expect(steady()).toBe(1_000_000)
  wall -= 3_600_000
  ticks += 10
  expect(steady()).toBe(1_000_010)
})

it('never goes back on a real machine', () => {
  const steady = createSteadyClock(Date.now)
  let last = steady()
  expect(Math.abs(last - Date.now())).toBeLessThan(1_000)
  for (let i = 0; i < 10_000; i++) {
    const next = steady()
    expect(next).toBeGreaterThanOrEqual(last)
    last = next
  }
})
