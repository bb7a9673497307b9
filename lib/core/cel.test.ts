import { describe, expect, test } from 'vitest'
import { compileCel } from './cel.ts'
import { compileConstraint } from './constraint.ts'
import type { Json } from './strict.ts'
import { cpuMs } from './testing/cpu.ts'

const about = { server: 'billing', tool: 'refund' }
const args: Json = {
  n: 5,
  d: 12.5,
  big: 9007199254740991,
  huge: 1e300,
  s: 'abc',
  l: [1, 2, 3],
  mixed: [1, 'a'],
  people: [{ name: 'ana', age: 3 }, { name: 'bo' }],
  m: { a: 1, 'b-c': 2 },
  none: null,
  yes: true,
  from: 'x',
  to: 'y',
  Twice: 1,
  twice: 2,
}
function holds(source: string, on: Json = args): boolean | string {
  const compiled = compileCel(source)
  if ('problem' in compiled) throw new Error(compiled.problem)
  const found = compiled.holds(on, about)
  return typeof found === 'object' ? found.problem : found
}

test.each([
  'args.from != args.to',
  'server == "billing" && tool == "refund"',
  'args.n == 5.0 && args.n < 5.5 && args.n > args.d == false',
  'args.d == 12.5 && args.d * 2 == 25 && args.d + args.n == 17.5',
  '0.1 + 0.2 == 0.3',
  'args.big + 1 == 9007199254740992 && args.big + 2 == 9007199254740993',
  'args.big + 2 != 9007199254740992 && args.big + 2 > args.big + 1',
  '-7 % 3 == -1 && 8 / 2 == 4 && args.d / 2 == 6.25',
  'args.huge > 9223372036854775807',
  'has(args.n) && has(args.none) && !has(args.x) && !has(args.constructor) && !has(args.__proto__)',
  'args.none == null && args.n != null',
  '"a" in args.m && !("toString" in args.m) && 2 in args.l && !(4 in args.l)',
  '"a" in args.mixed && 1 in args.mixed',
  'args["n"] == 5 && args.m["b-c"] == 2 && args.l[0] == 1',
  'args.l == [1, 2, 3.0] && args.l != [1, 2]',
  'args.l.all(x, x > 0) && args.l.exists(x, x == 2) && args.l.exists_one(x, x > 2)',
  'args.l.filter(x, x > 1) == [2, 3] && args.l.map(x, x * 2) == [2, 4, 6] && args.l.map(x, x > 1, x) == [2, 3]',
  'args.m.exists(key, key == "a") && args.people.exists(p, p.age == 3)',
  'args.l.all(x, args.l.exists(y, y == x))',
  'args.l.filter(x, x > 9).all(x, x > 10) && 1 + 1.5 == 2.5 && size(args.l) == 3.0',
  'size(args.s) == 3 && args.l.size() == 3 && size(args.m) == 2 && "😀".size() == 1',
  'args.s.startsWith("a") && args.s.endsWith("c") && args.s.contains("b") && args.s.matches("^[a-c]+$")',
  'args.s + "d" == "abcd" && args.l + [4] == [1, 2, 3, 4] && args.s < "abd"',
  'args.yes ? args.n == 5 : args.x == 1',
  'args.x == 1 || true',
  '!(args.x == 1 && false)',
  'args.people.all(p, has(p.name))',
])('%s holds', (source) => {
  expect(holds(source)).toBe(true)
})

test.each([
  ['args.x == 1', 'args.x is missing'],
  ['args.m.x.y == 1', 'args.m.x is missing'],
  ['args.constructor == 1', 'args.constructor is missing'],
  ['args.l[3] == 1', 'args.l[3] is missing'],
  ['args.l[-1] == 1', '"args.l[-1]" is missing'],
  ['args.l[0.5] == 1', 'args.l[0.5] is missing'],
  ['args.s.length == 3', 'args.s is a text, not an object'],
  ['args.l.length == 3', 'args.l is a list, not an object'],
  ['args.none.x == 1', 'args.none is null, not an object'],
  ['has(args.none.x)', 'args.none is null, not an object'],
  ['has(args.q.x)', 'args.q is missing'],
  ['args.twice == 2', 'args has "twice" in two ways of writing it'],
  ['args.n == "5"', 'it compares a number with a text'],
  ['args.n != "5"', 'it compares a number with a text'],
  ['args.yes == "true"', 'it compares a truth value with a text'],
  ['args.l == [1, 2, "3"]', 'it compares a number with a text'],
  ['"x" in args.l', 'it looks for a text among values of other types'],
  ['!("1" in args.l)', 'it looks for a text among values of other types'],
  ['args.n in args.s', 'it looks for a number in a text'],
  ['args.n < args.s', 'it orders a number and a text'],
  ['args.yes < args.yes', 'it orders a truth value and a truth value'],
  ['args.n + args.s == args.s', 'it computes a number + a text'],
  ['args.n / 2 == 2', 'a result cannot be computed exactly'],
  ['args.d / 3 > 1', 'a result cannot be computed exactly'],
  ['args.huge * args.huge > 1', 'a result cannot be computed exactly'],
  ['args.n / 0 == 1', 'it divides by zero'],
  ['args.n % 0 == 1', 'it divides by zero'],
  ['9223372036854775807 + args.n > 0', 'a result is beyond 64 bits'],
  ['args.d % 2 == 1', 'it takes the remainder of a number with a fraction'],
  ['args.n ? true : false', 'a number stands where a truth value has to'],
  ['args.n && true', 'a number stands where a truth value has to'],
  ['args.n', 'the result is not a truth value'],
  ['args.mixed.all(x, x > 0)', 'it orders a text and a number'],
  ['args.people.all(p, p.age > 1)', 'p.age is missing'],
  ['args.n.all(x, x > 0)', 'it goes through a number, which is no list'],
  ['args.n.startsWith("a")', 'it asks a number for startsWith'],
  ['args.n.matches("a")', 'it asks a number for matches'],
  ['size(args.n) == 1', 'it asks a number for its size'],
])('%s cannot be said: %s', (source, problem) => {
  expect(holds(source)).toBe(problem)
})

test('arguments that are no object have no members', () => {
  expect(holds('args.n == 5', [1])).toBe('args is a list, not an object')
  expect(holds('has(args.n)', null)).toBe('args is null, not an object')
})

test.each([
  ['args.from !=', 'Unexpected token'],
  ['arg.from == 1', 'Unknown variable: arg'],
  ['args.s.shout() == "x"', "no matching overload for 'dyn.shout()'"],
  ['now() > 1', "no matching overload for 'now()'"],
  ['timestamp("2026-01-01T00:00:00Z") == timestamp("2026-01-01T00:00:00Z")', 'timestamp() is no function here'],
  ['int(args.s) == 1', 'int() is no function here'],
  ['args.s.lowerAscii() == "x"', 'lowerAscii() is no method here'],
  ['cel.bind(x, args.n, x == 1)', '"cel" is no variable here'],
  ['type(args.n) == int', 'type() is no function here'],
  ['{"a": 1} == args.m', 'is no part of CEL here'],
  ['args.s == b"a"', 'is no part of CEL here'],
  ['args.n == 5u', 'is no part of CEL here'],
  ['args.n == 0.1000000000000000055', 'cannot be held exactly'],
  ['size(args.s) + 1', 'The result is of type int, not bool'],
  ['"a"', 'The result is of type string, not bool'],
  ['args.n || 1', 'Logical operator requires bool operands'],
  ['args.s.matches("(a")', 'is not a regular expression of RE2: missing closing )'],
  ['args.s.matches(args.n)', 'needs its expression written out'],
  ['args.l.all(a, args.l.all(b, args.l.all(c, args.l.all(d, a == d))))', 'more than 3 comprehensions'],
  [Array(600).fill('true').join(' && '), 'Exceeded'],
  [`${'('.repeat(60)}true${')'.repeat(60)}`, 'Exceeded'],
])('%s is refused: %s', (source, problem) => {
  const compiled = compileCel(source)
  expect('problem' in compiled && compiled.problem).toContain(problem)
})

describe('the cost is bounded', () => {
  const list = Array.from({ length: 2000 }, (_, index) => index)
  const text = 'ab'.repeat(30_000)
  test.each([
    'args.l.all(a, args.l.all(b, args.l.all(c, a + b + c >= 0)))',
    'args.l.exists(a, args.l.exists(b, a + b < 0))',
    'args.l.map(a, args.l + args.l).size() > 0',
    'args.l.all(a, args.s.contains(args.s + "c") == false)',
    'args.l.all(a, args.s + args.s != args.s)',
    'args.l.all(a, args.s.matches("(a|b)*a(a|b){20}$") == false)',
    'args.l.all(a, args.s < args.s + "x")',
    'args.l.all(a, size(args.s) > 0)',
    'args.l.all(a, args.l == args.l)',
    '!(args.l.all(a, args.l.all(b, a == b || a != b)) || true) || true',
  ])('%s', (source) => {
    const start = cpuMs()
    expect(holds(source, { l: list, s: text })).toBe('it takes too many steps for these arguments')
    // 10 ms as a rule; what compiles meanwhile counts too.
    expect(cpuMs() - start).toBeLessThan(250)
  })
  test('what is worth it is evaluated', () => {
    expect(holds('args.l.all(a, a >= 0) && args.s.contains("ba")', { l: list, s: text })).toBe(true)
  })
})

test('in a constraint the sentence names the expression, and not is its opposite', () => {
  const of = (constraint: object, on: Json) => compileConstraint(constraint, 'every', false)(on, about)
  const cel = 'args.from\n  != args.to'
  expect(of({ cel }, { from: 'a', to: 'b' })).toEqual({ is: 'true' })
  expect(of({ cel }, { from: 'a', to: 'a' })).toEqual({
    is: 'false',
    what: '"args.from != args.to" does not hold',
    wants: 'calls for which it holds',
  })
  expect(of({ not: { cel } }, { from: 'a', to: 'b' })).toMatchObject({
    is: 'false',
    what: '"args.from != args.to" holds',
  })
  expect(of({ cel }, { from: 'a' })).toEqual({ is: 'error', what: '"args.from != args.to": args.to is missing' })
  expect(of({ cel: `args.from == "${'x'.repeat(200)}"` }, { from: 'a' })).toMatchObject({
    what: expect.stringMatching(/^".{80,100}…" does not hold$/),
  })
})
