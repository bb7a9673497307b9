import { expect, test } from 'vitest'
import { createIntern } from './intern.ts'

test('equal values become one, different ones stay apart', () => {
  const intern = createIntern()
  const first = intern([{ name: 'a', match: { tools: ['*'] } }])
  expect(intern([{ name: 'a', match: { tools: ['*'] } }])).toBe(first)
  expect(intern([{ name: 'b', match: { tools: ['*'] } }])).not.toBe(first)
  expect(intern(undefined)).toBeUndefined()
  expect(intern('text')).toBe('text')
})

test('it does not grow without end, and keeps what is asked for', () => {
  const intern = createIntern(2)
  const [first, second] = [intern(['first']), intern(['second'])]
  expect(intern(['first'])).toBe(first)
  intern(['third'])
  expect(intern(['first'])).toBe(first)
  expect(intern(['second'])).not.toBe(second)
})
