import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ToolClass } from '../api/gen/types.ts'
import type { Remit } from '../api/remit.ts'
import { parsePath, type Step } from './path.ts'
import { redact, redactionsOf, redactsResultsOf } from './redact.ts'
import type { Json } from './strict.ts'

const paths = (...texts: string[]): Step[][] => texts.map((text) => parsePath(text) as Step[])
const mark = (where: string): Json => ({ at: where })

describe('redact', () => {
  const cases: [what: string, value: Json, path: string[], redacted: Json][] = [
    ['a member', { iban: 'DE1', amount: 5 }, ['iban'], { iban: { at: 'iban' }, amount: 5 }],
    ['all that lies inside', { card: { no: 1, name: 'x' } }, ['card'], { card: { at: 'card' } }],
    ['a member inside', { card: { no: 1, name: 'x' } }, ['card.no'], { card: { no: { at: 'card.no' }, name: 'x' } }],
    [
      'every element',
      { to: [{ phone: 1 }, { mail: 2 }] },
      ['to[*].phone'],
      { to: [{ phone: { at: 'to[0].phone' } }, { mail: 2 }] },
    ],
    ['lists in lists', { m: [[1], [2]] }, ['m[*][*]'], { m: [[{ at: 'm[0][0]' }], [{ at: 'm[1][0]' }]] }],
    ['the outer of two paths', { a: { b: 1 } }, ['a.b', 'a'], { a: { at: 'a' } }],
    [
      'two paths of one object',
      { a: { b: 1, c: 2, d: 3 } },
      ['a.b', 'a.c'],
      {
        a: { b: { at: 'a.b' }, c: { at: 'a.c' }, d: 3 },
      },
    ],
    ['what is not there', { amount: 5 }, ['iban'], { amount: 5 }],
    ['null on the way', { card: null }, ['card.no'], { card: null }],
    ['null itself', { iban: null }, ['iban'], { iban: { at: 'iban' } }],
    ['another spelling', { IBAN: 'DE1' }, ['iban'], { IBAN: { at: 'IBAN' } }],
    ['a text where an object was expected', { card: '{"no":1}' }, ['card.no'], { card: { at: 'card' } }],
    ['a list where an object was expected', { card: [{ no: 1 }] }, ['card.no'], { card: { at: 'card' } }],
    ['an object where a list was expected', { to: { phone: 1 } }, ['to[*].phone'], { to: { at: 'to' } }],
    ['a root of another type', 'IBAN DE1', ['iban'], { at: '' }],
    ['no path', { iban: 1 }, [], { iban: 1 }],
  ]
  it.each(cases)('replaces %s', (_what, value, path, redacted) => {
    expect(redact(value, paths(...path), mark)).toEqual(redacted)
  })

  it('leaves no trace of a value, wherever it stands under the path', () => {
    const json = fc.letrec<{ any: Json }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constant<Json>('the secret'),
        fc.integer(),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'A', 'b', 'secret'), tie('any'), { maxKeys: 3 }),
      ),
    })).any
    fc.assert(
      fc.property(json, (value) => {
        const redacted = redact({ a: value, rest: 1 }, paths('a'), mark)
        expect(redacted).toEqual({ a: { at: 'a' }, rest: 1 })
        expect(JSON.stringify(redact({ top: value }, paths('top.a', 'top.b', 'top.secret'), mark))).not.toContain(
          'the secret',
        )
      }),
    )
  })

  it('does not change what it is given', () => {
    const value = { to: [{ phone: 1 }] }
    redact(value, paths('to[*].phone'), mark)
    expect(value).toEqual({ to: [{ phone: 1 }] })
  })
})

describe('redactionsOf', () => {
  const remit = {
    redactions: [
      { policy: 'p', mode: 'Enforce', match: { servers: ['billing'], tools: ['get_*'] }, results: ['customer.iban'] },
      { policy: 'p', mode: 'Enforce', match: { tools: ['refund'] }, arguments: ['iban', 'to[*].phone'] },
      { policy: 'q', mode: 'Observe', match: { servers: ['*'] }, arguments: ['note'], results: ['note'] },
    ],
  } as Partial<Remit> as Remit

  const ruleClass = () => undefined

  it('gathers what fits server and tool', () => {
    expect(redactionsOf({ remit, ruleClass }, 'billing', 'refund')).toEqual({
      arguments: paths('iban', 'to[*].phone', 'note'),
      results: [],
      recorded: paths('note'),
    })
    expect(redactionsOf({ remit, ruleClass }, 'billing', 'get_invoice')).toEqual({
      arguments: paths('note'),
      results: paths('customer.iban'),
      recorded: paths('customer.iban', 'note'),
    })
  })
  it('withholds from agents only what enforced policies name', () => {
    expect([redactsResultsOf({ remit }, 'billing'), redactsResultsOf({ remit }, 'mail')]).toEqual([true, false])
  })
  it('holds for a class, and for what has none', () => {
    const byClass = {
      redactions: [{ policy: 'p', mode: 'Enforce', match: { classes: ['Read'] }, results: ['iban'] }],
    } as Partial<Remit> as Remit
    const results = (byRules?: ToolClass, cls = byRules) =>
      redactionsOf({ remit: { ...byClass }, ruleClass: () => byRules }, 'billing', 'get', cls).results
    expect([results('Read'), results('Write'), results()]).toEqual([paths('iban'), [], paths('iban')])
    expect(results('Read', 'SideEffect')).toEqual(paths('iban'))
  })
  it('is nothing where nothing is redacted', () => {
    expect(redactionsOf({ remit: {} as Remit, ruleClass }, 'a', 'b')).toEqual({
      arguments: [],
      results: [],
      recorded: [],
    })
  })
})
