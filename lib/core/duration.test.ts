import { expect, test } from 'vitest'
import { parseDuration } from './duration.ts'

test.each([
  ['1s', 1_000],
  ['10m', 600_000],
  ['24h', 86_400_000],
  ['1h30m', 5_400_000],
  ['31d', 2_678_400_000],
])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

test.each(['', '0s', '10', 'm', '1.5h', '-1m', ' 1m', '1m ', '1w', '32d', '1e3s', '１m', '24H'])('%j is none', (text) =>
  expect(parseDuration(text)).toBeUndefined(),
)
