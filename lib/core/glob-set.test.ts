import fc from 'fast-check'
import { expect, test } from 'vitest'
import { glob } from './glob.ts'
import { covers, meet } from './glob-set.ts'

const LETTERS = ['a', 'b']
/** Every name of at most six letters, one of them a letter that no pattern has. */
const names: string[] = ['']
for (let at = 0; names[at] !== undefined && (names[at] as string).length < 6; at++)
  for (const letter of [...LETTERS, 'c']) names.push(`${names[at]}${letter}`)
const pattern = fc.string({ unit: fc.constantFrom(...LETTERS, '*'), minLength: 1, maxLength: 3 })

test('covers says the same as trying every name', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 3 }), pattern, (outer, inner) => {
      const fits = outer.map(glob)
      const tried = names.filter(glob(inner)).every((name) => fits.some((each) => each(name)))
      expect(covers(outer, inner)).toBe(tried)
    }),
    { numRuns: 300 },
  )
})

test('meet says the same as trying every name', () => {
  fc.assert(
    fc.property(pattern, pattern, (a, b) => {
      expect(meet(a, b)).toBe(names.some((name) => glob(a)(name) && glob(b)(name)))
      expect(meet(b, a)).toBe(meet(a, b))
    }),
    { numRuns: 300 },
  )
})

test.each<[string[], string, boolean]>([
  [['get_*'], 'get_invoice', true],
  [['get_*'], 'get_*_all', true],
  [['get_*_all'], 'get_*', false],
  [['*'], '*', true],
  [['a*', 'b*'], '*', false],
  [['*a*b*'], 'a*b', true],
])('%j covers %s: %s', (outer, inner, expected) => expect(covers(outer, inner)).toBe(expected))
