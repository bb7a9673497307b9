import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Constraint } from '../api/gen/types.ts'
import { compileConstraint } from './constraint.ts'
import { mixesScripts, pretends, skeleton } from './lookalike.ts'

const about = { server: 'mail', tool: 'send' }
const is = (constraint: Constraint, x: string) =>
  compileConstraint({ arg: 'x', ...constraint }, 'every', false)({ x }, about).is

const TWINS: Record<string, string[]> = {
  a: ['а', 'α', 'ａ', '𝐚', 'A'],
  c: ['с', 'ϲ', 'ｃ', 'C'],
  e: ['е', 'ｅ', 'ｅ', 'E'],
  o: ['о', 'ο', 'օ', 'ｏ', 'O'],
  p: ['р', 'ρ', 'ｐ', 'P'],
  x: ['х', 'χ', 'ⅹ', 'X'],
  '.': ['．', '․', '。'],
  '@': ['＠', '﹫'],
  '-': ['－', '﹣', '\u2010'],
}
const HIDDEN = [
  '\u200b',
  '\u200d',
  '\u00ad',
  '\ufeff',
  '\u2060',
  '\u202e',
  '\u2066',
  '\u180e',
  '\u3164',
  '\u034f',
  '\ufe0f',
  '\u{e0041}',
  '\0',
  '\n',
  '\r\n',
  '\u2028',
  '\u0085',
  '\t',
  '\u00a0',
]

/** A text changed so that it still looks like itself, or has more than it shows. */
const disguised = (text: string): fc.Arbitrary<string> => {
  const points = Array.from(text)
  const twin = fc
    .nat(points.length - 1)
    .chain((at) =>
      fc
        .constantFrom(...(TWINS[points[at] as string] ?? [`${points[at]}\u200b`]))
        .map((point) => points.with(at, point).join('')),
    )
  const hidden = fc
    .tuple(fc.nat(points.length), fc.constantFrom(...HIDDEN))
    .map(([at, point]) => [...points.slice(0, at), point, ...points.slice(at)].join(''))
  const list = fc.constantFrom(',', ';', ' ', '\n', ', ').map((by) => `eve@evil.example${by}${text}`)
  return fc.oneof(twin, hidden, list)
}

test('a disguise of an accepted text never passes equals, in, suffix or an anchored pattern', () => {
  const text = 'ana@corp-x.example'
  const accepting: Constraint[] = [
    { equals: text },
    { in: [text, 'bo@corp-x.example'] },
    { suffix: '@corp-x.example' },
    { pattern: '^[a-z]+@corp-x\\.example$' },
    { pattern: '^\\pL+@corp-x\\.example$' },
    { pattern: '@corp-x\\.example$', suffix: '@corp-x.example' },
  ]
  for (const constraint of accepting) expect(is(constraint, text)).toBe('true')
  fc.assert(
    fc.property(disguised(text), (x) => {
      // Another case before the @ is a plain other address.
      fc.pre(x.toLowerCase() !== text)
      for (const constraint of accepting) expect(is(constraint, x)).not.toBe('true')
    }),
    { numRuns: 2000 },
  )
})

test('a disguise of a listed text never passes notIn, or a not with equals or in', () => {
  const text = 'eve-x.example'
  fc.assert(
    fc.property(disguised(text), (x) => {
      fc.pre(x !== text && !x.startsWith('eve@'))
      for (const constraint of [{ notIn: [text] }, { not: { equals: text } }, { not: { in: ['bo', text] } }]) {
        expect(is(constraint, x)).not.toBe('true')
      }
    }),
    { numRuns: 2000 },
  )
})

test('a plain other text passes', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{1,12}$/), (x) => {
      fc.pre(x !== 'eur')
      expect(is({ notIn: ['EUR'] }, x)).toBe('true')
    }),
  )
})

test('words of one script are words', () => {
  for (const text of ['Москва', 'Αθήνα', 'München', 'kΩ', 'Tokyo 東京']) expect(mixesScripts(text)).toBe(false)
  for (const text of ['Мoscow', 'pаypal', 'Αthens', 'gооgle'])
    expect([mixesScripts(text), pretends(text)]).toEqual([true, true])
  expect([pretends('ﬁne'), pretends('№ 5'), pretends('…'), pretends('東京')]).toEqual([true, true, true, false])
  expect(skeleton('  ＰаyＰal\u200b ')).toBe('paypal')
})
