import { describe, expect, test } from 'vitest'
import type { Constraint, NegatedConstraint } from '../api/gen/types.ts'
import { compileConstraint, type Truth } from './constraint.ts'
import type { Json } from './strict.ts'

const about = { server: 'billing', tool: 'refund' }
const evaluate = (constraint: Constraint, args: Json, quantifier: 'every' | 'some' = 'every'): Truth =>
  compileConstraint(constraint, quantifier, false)(args, about)

/** An operator, values for which it is true, false and an error; a list operator is not tried on elements. */
const TABLE: [NegatedConstraint, { yes: Json[]; no: Json[]; bad: Json[] }][] = [
  [{ equals: 'EUR' }, { yes: ['EUR'], no: ['USD'], bad: [5, true, ['EUR'], {}, null] }],
  [{ equals: 0.1 }, { yes: [0.1], no: [0.2, 1], bad: ['0.1', [0.1]] }],
  [{ in: ['EUR', 5] }, { yes: ['EUR', 5], no: ['USD', 6], bad: [true, ['EUR'], null] }],
  [
    { notIn: ['EUR'] },
    { yes: ['USD', ''], no: ['EUR'], bad: [5, ['USD'], null, 'eur', 'EUR\u200b', 'ＥＵＲ', ' EUR'] },
  ],
  [{ notIn: [5, true] }, { yes: [6, false], no: [5, true], bad: ['6', null] }],
  [{ prefix: 'INV-' }, { yes: ['INV-1'], no: ['X', 'inv-1'], bad: [1, 'INV-１', 'INV-\u200b', 'INV-а1b'] }],
  [{ suffix: '.example' }, { yes: ['a.example'], no: ['a.examplе'], bad: [1, 'ａ.example', 'pаy.example'] }],
  [{ min: '0.10' }, { yes: [0.1, '0.1', 5], no: [0.09, '0.09'], bad: [true, '1e1', [1]] }],
  [{ max: '9007199254740993' }, { yes: [9007199254740992, '9007199254740993'], no: ['9007199254740994'], bad: ['x'] }],
  [
    { min: '1', max: '2' },
    { yes: [1, 2, '1.50'], no: [0, 3], bad: [null, {}] },
  ],
  [
    { cidr: '10.0.0.0/8' },
    {
      yes: ['10.0.0.0', '10.255.255.255'],
      no: ['11.0.0.0', '2001:db8::1', '::1'],
      bad: [
        167772161,
        '010.0.0.1',
        '10.1',
        '0x0a.0.0.1',
        '167772161',
        '10.0.0.1:80',
        '10.0.0.1 ',
        'a.example',
        '10.0.0.1,::1',
      ],
    },
  ],
  [
    { cidr: '2001:db8::/32' },
    {
      yes: ['2001:db8::1', '2001:DB8:0:0:0:0:0:1'],
      no: ['2001:db9::', '10.0.0.1', '::ffff:10.0.0.1'],
      bad: ['2001:db8::1%eth0', '[::1]'],
    },
  ],
  [
    { pattern: '^T-[0-9]+$' },
    { yes: ['T-1'], no: ['T-', 'XT-1', 't-1'], bad: [1, ['T-1'], 'T-1\n', 'T-\u200b1', 'T-１', null] },
  ],
  [{ pattern: '(?s)^a.b$' }, { yes: ['a\nb', 'axb'], no: ['ab'], bad: ['a\u200bb', 'a\u202eb'] }],
  [{ pattern: '^.+$' }, { yes: ['Привет', 'naïve', '日本'], no: [''], bad: ['pаypal', 'ﬁne', 'a\u2028b'] }],
  [
    { subsetOf: ['a', 'b'] },
    {
      yes: [[], ['a'], ['b', 'a', 'a']],
      no: [['c'], ['a', 'A']],
      bad: ['a', {}, [1], [null], [['a']], ['c', 1], null],
    },
  ],
  [{ subsetOf: [1, 'a'] }, { yes: [[1, 'a']], no: [[2]], bad: [[true]] }],
  [{ minItems: 1 }, { yes: [['a'], [null], [[]]], no: [[]], bad: ['a', { length: 1 }, null, 1] }],
  [{ maxItems: 1 }, { yes: [[], [1]], no: [[1, 2]], bad: ['ab', null] }],
  [
    { minItems: 1, maxItems: 2 },
    { yes: [[1], [1, 2]], no: [[], [1, 2, 3]], bad: [2] },
  ],
  [{ required: true }, { yes: ['a', '', 0, false, [], {}], no: [], bad: [null] }],
  [{ absent: true }, { yes: [], no: ['a', 0, false, [], {}], bad: [null] }],
]

describe.each(TABLE)('%j', (operator, { yes, no, bad }) => {
  const presence = operator.required ?? operator.absent
  const all: [Json, Truth['is']][] = [
    ...yes.map((value): [Json, Truth['is']] => [value, 'true']),
    ...no.map((value): [Json, Truth['is']] => [value, 'false']),
    ...bad.map((value): [Json, Truth['is']] => [value, 'error']),
  ]
  test.each(all)('of %j is %s', (value, is) => {
    expect(evaluate({ arg: 'x', ...operator }, { x: value }).is).toBe(is)
    expect(evaluate({ arg: 'a.b', ...operator }, { a: { b: value } }).is).toBe(is)
    expect(evaluate({ arg: 'a[*].b', ...operator }, { a: [{ b: value }, { b: value }] }).is).toBe(is)
    expect(evaluate({ arg: 'x[*]', ...operator }, { x: [value] }).is).toBe(is)
    if (!presence) expect(evaluate({ arg: 'x', ...operator, optional: true }, { x: value }).is).toBe(is)
    if (!presence) expect(evaluate({ arg: 'x', ...operator, required: true }, { x: value }).is).toBe(is)
  })
  test('under not, what is true is false, and what is false is true or, for a lookalike, an error', () => {
    for (const value of yes) expect(evaluate({ arg: 'x', not: operator }, { x: value }).is).toBe('false')
    for (const value of no) expect(evaluate({ arg: 'x', not: operator }, { x: value }).is).not.toBe('false')
    const wrong = bad.filter((value) => typeof value !== 'string')
    for (const value of wrong) expect(evaluate({ arg: 'x', not: operator }, { x: value }).is).toBe('error')
  })
  test('missing', () => {
    const missing = operator.required ? 'false' : operator.absent ? 'true' : 'error'
    expect(evaluate({ arg: 'x', ...operator }, {}).is).toBe(missing)
    expect(evaluate({ arg: 'a.x', ...operator }, {}).is).toBe(missing)
    expect(evaluate({ arg: 'a[*].x', ...operator }, { a: [{}] }).is).toBe(missing)
    if (!presence) expect(evaluate({ arg: 'x', ...operator, optional: true }, {}).is).toBe('true')
    if (!presence) expect(evaluate({ arg: 'x', not: operator, optional: true }, {}).is).toBe('true')
    expect(evaluate({ arg: 'a[*].x', ...operator }, { a: [] }).is).toBe('nothing')
  })
})

describe('where not being a value lets the call pass, what only looks like it is an error', () => {
  const masks = ['eur', 'EUR\u200b', '\u00adEUR', 'ＥＵＲ', 'EUR ', '\tEUR', 'ЕUR', 'EUR\u0000', 'EU\ufe0fR', 'ΕUR']
  test.each(masks)('%j', (x) => {
    for (const negative of [{ notIn: ['EUR'] }, { not: { equals: 'EUR' } }, { not: { in: ['EUR', 'USD'] } }]) {
      expect(evaluate({ arg: 'x', ...negative }, { x }).is).toBe('error')
    }
    expect(evaluate({ arg: 'x', equals: 'EUR' }, { x }).is).toBe('false')
    expect(evaluate({ arg: 'x', equals: 'EUR' }, { x }, 'some').is).toBe('error')
    expect(evaluate({ arg: 'x', not: { subsetOf: ['EUR'] } }, { x: [x] }).is).toBe('error')
  })
  test.each(['ht\u200btp://e', 'ｈttp://e', 'һttp://e', 'http：//e', 'HTΤP://e', 'see hｔtp://e', 'ht\u00adtp://e'])(
    '%j has no "https?://" and is not let pass',
    (memo) => {
      expect(evaluate({ arg: 'memo', not: { pattern: '(?i)https?://' } }, { memo }).is).toBe('error')
      expect(evaluate({ arg: 'memo', pattern: '(?i)https?://' }, { memo }, 'some').is).toBe('error')
    },
  )
  test.each([
    'two\nlines\tof text',
    'Thanks ❤️ 👨‍👩‍👧 👍🏽',
    '5 kΩ, 3 μm… ½ ™',
    'привет, Ана',
    'café naïve',
    '日本語',
    'EURO',
    'E U R',
  ])('%j is running text', (memo) => {
    expect(evaluate({ arg: 'memo', not: { pattern: 'https?://' } }, { memo }).is).toBe('true')
  })
})

describe('several operators in one constraint', () => {
  const both: Constraint = { arg: 'to[*]', suffix: '@corp.example', pattern: '^[a-z]+@' }
  test('all must hold, for every element', () => {
    expect(evaluate(both, { to: ['ana@corp.example', 'bo@corp.example'] }).is).toBe('true')
    expect(evaluate(both, { to: ['ana@corp.example', '7@corp.example'] }).is).toBe('false')
    expect(evaluate(both, { to: ['ana@evil.example'] }).is).toBe('false')
    expect(evaluate(both, { to: ['ana@corp.example', 7] }).is).toBe('error')
    expect(evaluate(both, { to: [] }).is).toBe('nothing')
  })
  test('the sentence names the one that failed', () => {
    expect(evaluate(both, { to: ['7@corp.example'] })).toEqual({
      is: 'false',
      what: 'to[0] is "7@corp.example"',
      wants: 'a text with "^[a-z]+@"',
    })
    expect(evaluate({ arg: 'to', minItems: 1, subsetOf: ['a'] }, { to: [] })).toMatchObject({
      what: 'to has 0 elements',
      wants: 'a list of at least 1 elements',
    })
    expect(evaluate({ arg: 'to', minItems: 1, subsetOf: ['a'] }, { to: ['a', 'x'] })).toMatchObject({
      what: 'to has "x"',
      wants: 'a list of nothing but "a"',
    })
  })
  test('in a rule that denies, one element for which all hold is enough', () => {
    expect(evaluate(both, { to: ['7@corp.example', 'ana@corp.example'] }, 'some').is).toBe('true')
    expect(evaluate(both, { to: ['7@corp.example', 'ana@evil.example'] }, 'some').is).toBe('false')
  })
})

test('what is not allowed is said once, not twice negated', () => {
  const wants = (constraint: Constraint, x: Json) => evaluate({ arg: 'x', ...constraint }, { x })
  expect(wants({ notIn: ['XXX'] }, 'XXX')).toMatchObject({ wants: 'anything but "XXX"' })
  expect(wants({ not: { notIn: ['XXX'] } }, 'EUR')).toMatchObject({ wants: '"XXX"' })
  expect(wants({ not: { cidr: '10.0.0.0/8' } }, '10.0.0.1')).toMatchObject({
    wants: 'anything but an address in 10.0.0.0/8',
  })
})

test('of a redacted list no element is shown', () => {
  const found = compileConstraint({ arg: 'to', subsetOf: ['a'] }, 'every', true)({ to: ['secret'] }, about)
  expect(found).toMatchObject({ is: 'false', what: 'to has a value that is withheld' })
})
