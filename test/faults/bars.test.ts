import { expect, test } from 'vitest'
import { judge } from './bars.ts'

test('one bar missed is all missed, and what was said is told then only', () => {
  const lines: string[] = []
  const held = { what: 'lost', is: 0, atMost: 0, said: ['nothing'] }
  expect(judge([held], (line) => lines.push(line))).toBe(true)
  expect(
    judge([held, { what: 'late', is: 12.34, atMost: 12, said: ['by a bit'] }, held], (line) => lines.push(line)),
  ).toBe(false)
  expect(judge([{ what: 'nothing measured', is: Number.NaN, atMost: 1 }], () => undefined)).toBe(false)
  expect(lines).toEqual([
    'ok     lost: 0 (at most 0)',
    'ok     lost: 0 (at most 0)',
    'MISSED late: 12.3 (at most 12)',
    '         by a bit',
    'ok     lost: 0 (at most 0)',
  ])
})
