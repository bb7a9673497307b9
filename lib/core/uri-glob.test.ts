import fc from 'fast-check'
import { expect, test } from 'vitest'
import { glob } from './glob.ts'
import { uriProblem } from './uri.ts'
import { fitsNothing, reachOfGlob } from './uri-glob.ts'

test.each([
  ['*', true],
  ['file:///handbook/*', true],
  ['*.md', true],
  ['htt*://corp.example/*', true],
  ['https://*.corp.example/a', true],
  ['file:///a/..*', true],
  ['demo://resource/*/x', true],
  ['handbook/*', false],
  ['/handbook/*', false],
  ['File:///handbook/*', false],
  ['file:///handbook/../*', false],
  ['file:///handbook/%2e*', false],
  ['*/../*', false],
  ['*\\*', false],
  ['https://CORP.example/*', false],
  ['https://ana@corp.example/*', false],
  ['https://corp.example:443/*', false],
  ['file:///handbook/a.md', true],
  ['file:///handbook/../a.md', false],
  ['a.md', false],
])('%s: something can fit is %s', (pattern, expected) => {
  expect(fitsNothing(pattern) === undefined).toBe(expected)
})

test('a pattern is never said to fit nothing while a plain URI fits it', () => {
  const part = fc.constantFrom('file:///', 'https://h/', 'x:', 'a', '.', '..', '/', '?', '=', ';', ':', '@', '%20', 'A')
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 7 }),
      fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
      (parts, stars) => {
        const uri = parts.join('')
        if (uriProblem(uri) !== undefined) return
        const pattern = parts.map((each, index) => (stars[index] ? '*' : each)).join('')
        expect(glob(pattern)(uri)).toBe(true)
        expect([pattern, uri, fitsNothing(pattern)]).toEqual([pattern, uri, undefined])
      },
    ),
    { numRuns: 20_000 },
  )
})

test.each([
  ['*', undefined],
  ['file:///a', undefined],
  ['file:///handbook/*', undefined],
  ['file:///*', undefined],
  ['memo:*', undefined],
  ['*.md', 'any scheme'],
  ['handbook*', 'any scheme'],
  ['https://corp.example*', 'any host'],
  ['https://corp.example:*', 'any host'],
  ['https://*.corp.example/*', undefined],
])('%s reaches %s', (pattern, reach) => {
  expect(reachOfGlob(pattern)).toBe(reach)
})
