import { expect, test } from 'vitest'
import { withLines } from './lines.ts'

const code = [
  '// begin',
  'import { begin } from "x"',
  '',
  'export const begin = async () => {',
  '  const inner = 1',
  '}',
]
const read = () => code.join('\n')

test('links lead to the line that declares a name', () => {
  expect(withLines('It [`begin`](../a.ts#L1)s, with [`inner`](../a.ts#L99) and [`a.ts`](../a.ts).', read)).toBe(
    'It [`begin`](../a.ts#L4)s, with [`inner`](../a.ts#L5) and [`a.ts`](../a.ts).',
  )
})

test('a name that is not declared is a mistake of the page', () => {
  expect(() => withLines('[`beginning`](../a.ts#L1)', read)).toThrow('../a.ts declares no beginning')
  expect(() => withLines('[`beg`](../a.ts#L1)', read)).toThrow('../a.ts declares no beg')
})
