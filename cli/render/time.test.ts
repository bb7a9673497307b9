import { expect, test } from 'vitest'
import { duration } from './time.ts'

test.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['1', undefined],
  ['-1h', undefined],
  ['1h30m', undefined],
  ['', undefined],
])('duration %s', (text, ms) => expect(duration(text)).toBe(ms))
