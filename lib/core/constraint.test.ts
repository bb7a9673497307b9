import { describe, expect, test } from 'vitest'
import type { Constraint } from '../api/gen/types.ts'
import { compileConstraint, type Truth } from './constraint.ts'
import type { Json } from './strict.ts'

const about = { server: 'billing', tool: 'refund' }
const evaluate = (constraint: Constraint, args: Json, quantifier: 'every' | 'some' = 'every'): Truth['is'] =>
  compileConstraint(constraint, quantifier, false)(args, about).is

describe('each operator: true, false, error', () => {
  const cases: [Constraint, Json, Truth['is']][] = [
    [{ equals: 'EUR' }, 'EUR', 'true'],
    [{ equals: 'EUR' }, 'USD', 'false'],
    [{ equals: 'EUR' }, 5, 'error'],
    [{ equals: 5 }, 5, 'true'],
    [{ equals: 5 }, '5', 'error'],
    [{ equals: true }, true, 'true'],
    [{ equals: true }, false, 'false'],
    [{ equals: true }, 'true', 'error'],
    [{ equals: 0 }, false, 'error'],
    [{ equals: '' }, null, 'error'],
    [{ in: ['EUR', 'USD'] }, 'USD', 'true'],
    [{ in: ['EUR', 'USD'] }, 'eur', 'false'],
    [{ in: ['EUR'] }, ['EUR'], 'error'],
    [{ in: [1, 'a'] }, 'b', 'false'],
    [{ in: [1, 'a'] }, true, 'error'],
    [{ prefix: 'INV-' }, 'INV-17', 'true'],
    [{ prefix: 'INV-' }, 'XINV-17', 'false'],
    [{ prefix: 'INV-' }, 17, 'error'],
    [{ suffix: '@corp.example' }, 'ana@corp.example', 'true'],
    [{ suffix: '@corp.example' }, 'ana@corp.example.evil', 'false'],
    [{ suffix: '@corp.example' }, {}, 'error'],
    [{ max: '50.00' }, 50, 'true'],
    [{ max: '50.00' }, 50.01, 'false'],
    [{ max: '0.3' }, 0.3, 'true'],
    [{ max: '0.3' }, 0.1 + 0.2, 'false'],
    [{ max: '9007199254740993' }, 9007199254740992, 'true'],
    [{ min: '9007199254740993' }, 9007199254740992, 'false'],
    [{ min: '0.01' }, 0.01, 'true'],
    [{ min: '0.01' }, 0, 'false'],
    [{ min: '0.01', max: '50.00' }, -5, 'false'],
    [{ min: '0.01', max: '50.00' }, 12, 'true'],
    [{ min: '0.01', max: '50.00' }, 1e300, 'false'],
    [{ max: '50.00' }, null, 'error'],
    [{ max: '50.00' }, true, 'error'],
    [{ max: '50.00' }, [5], 'error'],
    [{ required: true }, 'x', 'true'],
    [{ required: true }, [], 'true'],
    [{ required: true }, null, 'error'],
    [{ not: { required: true } }, 'x', 'false'],
    [{ not: { equals: 'EUR' } }, 'USD', 'true'],
    [{ not: { equals: 'EUR' } }, 'EUR', 'false'],
    [{ not: { equals: 'EUR' } }, 5, 'error'],
    [{ not: { min: '10', max: '20' } }, 5, 'true'],
    [{ not: { min: '10', max: '20' } }, 15, 'false'],
  ]
  test.each(cases)('%j of %j is %s', (constraint, value, is) => {
    expect(evaluate({ arg: 'x', ...constraint }, { x: value })).toBe(is)
  })
})

describe('numbers written as text', () => {
  test.each([
    ['12.50', 'true'],
    ['50', 'true'],
    ['50.00', 'true'],
    ['50.0000', 'true'],
    ['0.125', 'true'],
    ['50.01', 'false'],
    ['12000', 'false'],
    ['12.000', 'error'],
    ['-1.500', 'error'],
    ['12,50', 'error'],
    ['12.000,00', 'error'],
    ['1e1', 'error'],
    ['+5', 'error'],
    ['05', 'error'],
    ['.5', 'error'],
    ['5.', 'error'],
    [' 5', 'error'],
    ['5\n', 'error'],
    ['0x10', 'error'],
    ['٥', 'error'],
    ['５', 'error'],
    ['−5', 'error'],
    ['5 EUR', 'error'],
    ['1_0', 'error'],
    ['Infinity', 'error'],
    ['NaN', 'error'],
    ['', 'error'],
    ['9'.repeat(41), 'error'],
  ])('max 50.00 of %j is %s', (value, is) => {
    expect(evaluate({ arg: 'amount', max: '50.00' }, { amount: value })).toBe(is)
  })
})

describe('lookalikes do not pass, and do not slip through a negation either', () => {
  const texts: [string, string][] = [
    ['a Cyrillic letter', 'fin\u0430nce@corp.example'],
    ['a full-width letter', 'ｆinance@corp.example'],
    ['a zero-width space', 'finance\u200b@corp.example'],
    ['a zero-width joiner at the front', '\u200dfinance@corp.example'],
    ['a soft hyphen', 'fin\u00adance@corp.example'],
    ['a right-to-left override', '\u202efinance@corp.example'],
    ['a no-break space', 'finance\u00a0@corp.example'],
    ['an embedded newline', 'eve@evil.example\n@corp.example'],
    ['an embedded carriage return', 'eve@evil.example\r\nBcc: @corp.example'],
    ['a NUL', 'eve@evil.example\u0000@corp.example'],
    ['a list in a text', 'eve@evil.example,finance@corp.example'],
    ['a list with a semicolon', 'eve@evil.example;finance@corp.example'],
    ['a list with spaces', 'eve@evil.example finance@corp.example'],
    ['a display name', '"eve@evil.example" <finance@corp.example'],
    ['a quoted local part', '"a b"@corp.example'],
    ['two at signs', 'eve@evil.example@corp.example'],
    ['an empty local part', '@corp.example'],
    ['a source route', '<@evil.example:finance@corp.example'],
    ['a combining accent', 'finance\u0301@corp.example'],
  ]
  test.each(texts)('%s', (_, text) => {
    expect(evaluate({ arg: 'to', suffix: '@corp.example' }, { to: text })).toBe('error')
    expect(evaluate({ arg: 'to', not: { suffix: '@corp.example' } }, { to: text })).toBe('error')
    expect(evaluate({ arg: 'to', in: ['finance@corp.example'] }, { to: text })).toBe('false')
    expect(evaluate({ arg: 'to', equals: 'finance@corp.example' }, { to: text })).toBe('false')
  })
  test.each([
    'Finance@Corp.Example',
    'finance@corp.examplе',
    'finance@corp.example ',
    'finance@corp.example.',
    'finance＠corp.example',
  ])('%j does not end with @corp.example', (text) => {
    expect(evaluate({ arg: 'to', suffix: '@corp.example' }, { to: text })).toBe('false')
  })
  test.each(['INV-1\n', 'INV-\u200b1', 'INV-1\u0000', 'INV-1\u2028', 'INV-1\u202e', 'INV-\u00a01'])(
    '%j hides something',
    (id) => {
      expect(evaluate({ arg: 'id', prefix: 'INV-' }, { id })).toBe('error')
      expect(evaluate({ arg: 'id', suffix: '1' }, { id: `${id}1` })).toBe('error')
    },
  )
  test.each([
    '/srv/data/../../etc',
    '/srv/data/a/..',
    '/srv/data/%2e%2e/x',
    '/srv/data/..%2fx',
    '/srv/data/..\\x',
    '/srv/data/.%2E/x',
  ])('%s climbs out of its prefix', (path) => {
    expect(evaluate({ arg: 'path', prefix: '/srv/data/' }, { path })).toBe('error')
  })
  test.each(['/srv/data/a..b', '/srv/data/...', '/srv/data/2026/11', '/srv/data/'])('%s stays inside', (path) => {
    expect(evaluate({ arg: 'path', prefix: '/srv/data/' }, { path })).toBe('true')
  })
})

describe('paths', () => {
  test.each<[string, Constraint, Json, Truth['is']]>([
    ['missing', { arg: 'x', equals: 'a' }, {}, 'error'],
    ['missing, optional', { arg: 'x', equals: 'a', optional: true }, {}, 'true'],
    ['missing, optional, negated', { arg: 'x', not: { equals: 'a' }, optional: true }, {}, 'true'],
    ['null is not absent', { arg: 'x', equals: 'a', optional: true }, { x: null }, 'error'],
    ['required and missing', { arg: 'x', required: true }, {}, 'false'],
    ['not required and missing', { arg: 'x', not: { required: true } }, {}, 'true'],
    ['nested', { arg: 'a.b', equals: 1 }, { a: { b: 1 } }, 'true'],
    ['nested, parent missing', { arg: 'a.b', equals: 1 }, {}, 'error'],
    ['nested, parent missing, optional', { arg: 'a.b', equals: 1, optional: true }, {}, 'true'],
    ['nested, parent is a text', { arg: 'a.length', equals: 1 }, { a: 'x' }, 'error'],
    ['nested, parent is a text, optional', { arg: 'a.b', equals: 1, optional: true }, { a: 'x' }, 'error'],
    ['nested, parent is a list', { arg: 'a.0', equals: 1 }, { a: [1] }, 'error'],
    ['arguments are a list', { arg: 'x', equals: 1, optional: true }, [1], 'error'],
    ['arguments are null', { arg: 'x', equals: 1, optional: true }, null, 'error'],
    ['a list where one value is meant', { arg: 'x', in: [1] }, { x: [1] }, 'error'],
    ['one value where a list is meant', { arg: 'x[*]', in: [1] }, { x: 1 }, 'error'],
    ['an element of another type', { arg: 'x[*]', in: [1] }, { x: [1, '1'] }, 'error'],
    ['an element that lacks the member', { arg: 'x[*].y', in: [1] }, { x: [{ y: 1 }, {}] }, 'error'],
    ['lists in lists', { arg: 'x[*][*]', in: [1, 2] }, { x: [[1], [2, 1]] }, 'true'],
    ['an empty list in a list', { arg: 'x[*][*]', in: [1, 2] }, { x: [[1], []] }, 'nothing'],
    ['an empty list', { arg: 'x[*]', in: [1] }, { x: [] }, 'nothing'],
    ['an empty list, negated', { arg: 'x[*]', not: { in: [1] } }, { x: [] }, 'nothing'],
    ['an empty list, optional', { arg: 'x[*]', in: [1], optional: true }, { x: [] }, 'nothing'],
    ['a name that objects inherit', { arg: 'constructor', required: true }, {}, 'false'],
    ['a name that objects inherit, below', { arg: 'toString.name', required: true }, {}, 'false'],
    ['an own member of that name', { arg: 'constructor', equals: 1 }, { constructor: 1 }, 'true'],
  ])('%s', (_, constraint, args, is) => {
    expect(evaluate(constraint, args)).toBe(is)
  })
  test('every element must hold where a rule gives; one is enough where a rule denies', () => {
    const constraint = { arg: 'to[*]', suffix: '@evil.example' }
    const args = { to: ['a@evil.example', 'b@corp.example'] }
    expect(evaluate(constraint, args, 'every')).toBe('false')
    expect(evaluate(constraint, args, 'some')).toBe('true')
    expect(evaluate(constraint, { to: ['b@corp.example'] }, 'some')).toBe('false')
    expect(evaluate(constraint, { to: ['b@corp.example', 5] }, 'some')).toBe('error')
    expect(evaluate(constraint, { to: [] }, 'some')).toBe('nothing')
  })
})

test('what was found names the place and shows at most 80 characters of one value, hidden ones as escapes', () => {
  const found = compileConstraint(
    { arg: 'to[*].name', equals: 'x' },
    'every',
    false,
  )({ to: [{ name: 'x' }, { name: `a\n\u202e${'b'.repeat(100)}` }] }, about)
  expect(found).toEqual({ is: 'false', what: `to[1].name is "a\\u{a}\\u{202e}${'b'.repeat(77)}…"`, wants: '"x"' })
})

test('of a redacted argument nothing is shown, and what it comes to is the same', () => {
  const found = compileConstraint({ arg: 'iban', prefix: 'DE' }, 'every', true)
  expect(found({ iban: 'FR76' }, about)).toEqual({
    is: 'false',
    what: 'iban is withheld',
    wants: 'a text that begins with "DE"',
  })
  expect(found({ iban: 'DE\u200b12' }, about)).toEqual({
    is: 'error',
    what: 'iban is withheld, not a text without hidden characters or line breaks',
  })
  expect(found({ iban: 'DE12' }, about)).toEqual({ is: 'true' })
})
