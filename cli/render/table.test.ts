import { expect, test } from 'vitest'
import { table } from './table.ts'

test('columns line up, nothing trails, and no cell breaks its line or colours the screen', () => {
  const rows = [
    ['1', '2', ''],
    ['x\ny', '\u001b[31mred', '\u202eabc'],
  ]
  expect(table(['A', 'LONG', 'C'], rows).split('\n')).toEqual([
    'A         LONG            C',
    '1         2',
    'x\\u{a}y   \\u{1b}[31mred   \\u{202e}abc',
  ])
})
