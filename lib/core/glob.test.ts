import fc from 'fast-check'
import { expect, test } from 'vitest'
import { glob, globProblem } from './glob.ts'
import { cpuMs } from './testing/cpu.ts'

test.each<[string, string, boolean]>([
  ['*', '', true],
  ['*', 'anything', true],
  ['get_*', 'get_', true],
  ['get_*', 'xget_', false],
  ['*_x', 'a_x', true],
  ['*_x', 'a_xy', false],
  ['a*b*c', 'abc', true],
  ['a*b*c', 'axxbxxc', true],
  ['a*b*c', 'acb', false],
  ['a*a', 'a', false],
  ['ab*ba', 'aba', false],
  ['a**b', 'ab', true],
  ['a.c', 'abc', false],
  ['get', 'GET', false],
])('%s on %j: %s', (pattern, name, expected) => {
  expect(glob(pattern)(name)).toBe(expected)
})

test('agrees with the regular expression of the same meaning', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  fc.assert(
    fc.property(text, text, (pattern, name) => {
      expect(glob(pattern)(name)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name))
    }),
    { numRuns: 1000 },
  )
})

test('a pattern made to be slow is not', () => {
  const started = cpuMs()
  expect(glob(`${'a*'.repeat(100)}b`)('a'.repeat(128))).toBe(false)
  expect(cpuMs() - started).toBeLessThan(50)
})

test('what no name can be is a problem', () => {
  expect(globProblem('get_*')).toBeUndefined()
  for (const pattern of ['', 'a b', 'a?', '[a]', '{a,b}', 'g\u0435t_*', 'a\n', 'x'.repeat(257)])
    expect(globProblem(pattern)).toBeTypeOf('string')
})
