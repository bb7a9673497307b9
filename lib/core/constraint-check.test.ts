import { describe, expect, test } from 'vitest'
import type { Constraint } from '../api/gen/types.ts'
import { checkConstraints } from './constraint-check.ts'
import { typesOf } from './constraint-types.ts'
import { type Problem, problems } from './problem.ts'

function check(list: unknown[]): Problem[] {
  const found = problems()
  checkConstraints(list as Constraint[], 'where', found)
  return found.list
}

describe('one constraint', () => {
  test.each<[object, string, string]>([
    [{ arg: 'a', notIn: [] }, 'where[0].notIn', 'lists no values'],
    [{ arg: 'a', subsetOf: 'x' }, 'where[0].subsetOf', 'lists no values'],
    [{ arg: 'a', subsetOf: [{}] }, 'where[0].subsetOf[0]', 'is not a single value that can be compared exactly'],
    [{ arg: 'a', minItems: -1 }, 'where[0].minItems', 'is not a number of elements'],
    [{ arg: 'a', maxItems: 1.5 }, 'where[0].maxItems', 'is not a number of elements'],
    [{ arg: 'a', maxItems: '3' }, 'where[0].maxItems', 'is not a number of elements'],
    [
      { arg: 'a', minItems: 3, maxItems: 2 },
      'where[0].minItems',
      'is above the maxItems of 2 for a, so no call can pass',
    ],
    [{ arg: 'a', absent: false }, 'where[0].absent', 'can only be true'],
    [{ arg: 'a', cidr: '10.0.0.0/33' }, 'where[0].cidr', 'is not a network'],
    [{ arg: 'a', cidr: '10.0.0.1/8' }, 'where[0].cidr', 'has bits beyond its length'],
    [{ arg: 'a', cidr: 5 }, 'where[0].cidr', 'is not a network'],
    [{ arg: 'a', pattern: '' }, 'where[0].pattern', 'is not a text of at least one character'],
    [{ arg: 'a', pattern: '(a' }, 'where[0].pattern', 'is not a regular expression of RE2: missing closing ): `(a`'],
    [
      { arg: 'a', not: { pattern: '(?=a)' } },
      'where[0].not.pattern',
      'is not a regular expression of RE2: invalid or unsupported Perl syntax: `(?=`',
    ],
    [{ cel: '' }, 'where[0].cel', 'is not a text of at least one character'],
    [{ cel: 'arg.a == 1' }, 'where[0].cel', 'is not an expression: Unknown variable: arg'],
    [{ cel: 'args.a +' }, 'where[0].cel', 'is not an expression: Unexpected token: EOF'],
    [{ cel: 'size(args)' }, 'where[0].cel', 'is not an expression: The result is of type int, not bool'],
    [{ cel: 'x'.repeat(5000) }, 'where[0].cel', 'is not an expression: has more than 4096 characters'],
    [{ arg: 'a', cel: 'true' }, 'where[0]', 'has arg beside cel'],
    [{ cel: 'true', optional: true }, 'where[0]', 'has optional beside cel'],
    [{ not: { cel: 'true', equals: 1 } }, 'where[0]', 'has equals beside cel'],
    [{ arg: 'a', not: { equals: 1, prefix: 'x' } }, 'where[0].not', 'has 2 operators (equals, prefix)'],
    [{ arg: 'a', not: {} }, 'where[0].not', 'has no operator'],
    [{ arg: 'a', required: true, optional: true }, 'where[0]', 'is both required and optional'],
    [{ arg: 'a', absent: true, optional: true }, 'where[0]', 'is both absent and optional'],
    [{ arg: 'a', not: { absent: true }, optional: true }, 'where[0]', 'is both absent and optional'],
    [{ arg: 'a', required: true, absent: true }, 'where[0]', 'is both required and absent'],
    [{ arg: 'a', absent: true, equals: 1 }, 'where[0]', 'looks at an argument that has to be absent'],
    [{ arg: 'a', equals: 'x', min: '1' }, 'where[0]', 'asks for two types of a at once, so it always errors'],
    [{ arg: 'a', equals: 5, prefix: 'x' }, 'where[0]', 'asks for two types of a at once, so it always errors'],
    [{ arg: 'a', maxItems: 5, suffix: 'x' }, 'where[0]', 'asks for two types of a at once, so it always errors'],
    [
      { arg: 'a', in: ['x'], equals: 'y' },
      'where[0]',
      'allows no value of a that another constraint allows, so no call can pass',
    ],
  ])('%j', (constraint, field, detail) => {
    const [problem] = check([constraint])
    expect(problem).toMatchObject({ field, detail, code: 'PolicyInvalid' })
    expect(problem?.fix).toMatch(/\.$/)
  })
})

describe('constraints that can never hold together', () => {
  test.each<[object[], string]>([
    [
      [
        { arg: 'a', equals: 'x' },
        { arg: 'a', min: '1' },
      ],
      'needs a number or a decimal as text where constraint 0 needs a text for a, so it always errors',
    ],
    [
      [
        { arg: 'a', equals: 'x' },
        { arg: 'a.b', equals: 1 },
      ],
      'needs an object where constraint 0 needs a text for a, so it always errors',
    ],
    [
      [
        { arg: 'a.b', equals: 1 },
        { arg: 'a', max: '5' },
      ],
      'needs a number or a decimal as text where constraint 0 needs an object for a, so it always errors',
    ],
    [
      [
        { arg: 'a[*]', equals: 1 },
        { arg: 'a.b', equals: 1 },
      ],
      'needs an object where constraint 0 needs a list for a, so it always errors',
    ],
    [
      [
        { arg: 'a[*].b', equals: 1 },
        { arg: 'a[*]', prefix: 'x' },
      ],
      'needs a text or a decimal as text where constraint 0 needs an object for a[*], so it always errors',
    ],
    [
      [
        { arg: 'a', minItems: 1 },
        { arg: 'a', not: { equals: 'x' } },
      ],
      'needs a text where constraint 0 needs a list for a, so it always errors',
    ],
    [
      [
        { arg: 'a', required: true },
        { arg: 'a', absent: true },
      ],
      'needs a to be absent, and constraint 0 needs it',
    ],
    [
      [
        { arg: 'a', not: { required: true } },
        { arg: 'a.b', equals: 1 },
      ],
      'needs a to be absent, and constraint 1 needs it',
    ],
    [
      [
        { arg: 'a', in: ['x', 'y'] },
        { arg: 'a', equals: 'z' },
      ],
      'allows no value of a that another constraint allows, so no call can pass',
    ],
    [
      [
        { arg: 'a', maxItems: 1 },
        { arg: 'a', minItems: 2 },
      ],
      'is above the maxItems of 1 for a, so no call can pass',
    ],
  ])('%j', (list, detail) => {
    expect(check(list)[0]).toMatchObject({ detail, code: 'PolicyInvalid' })
  })
  test.each<object[][]>([
    [
      [
        { arg: 'a', equals: 'x', optional: true },
        { arg: 'a', min: '1', optional: true },
      ],
    ],
    [
      [
        { arg: 'a', equals: '5' },
        { arg: 'a', min: '1' },
      ],
    ],
    [
      [
        { arg: 'a', in: ['x', 5] },
        { arg: 'a', max: '9' },
      ],
    ],
    [
      [
        { arg: 'a', subsetOf: ['x'] },
        { arg: 'a', minItems: 1 },
        { arg: 'a[*]', prefix: 'x' },
      ],
    ],
    [
      [
        { arg: 'a', required: true, equals: 'x' },
        { arg: 'a', pattern: 'x' },
      ],
    ],
    [
      [
        { arg: 'a', not: { min: '1', max: '2' } },
        { arg: 'a', min: '0' },
      ],
    ],
    [[{ arg: 'a', absent: true }, { arg: 'b', equals: 1 }, { cel: 'args.b == 1' }, { not: { cel: 'has(args.c)' } }]],
    [
      [
        { arg: 'a', equals: 1 },
        { arg: 'b.a', equals: 'x' },
      ],
    ],
  ])('%j can', (list) => {
    expect(check(list)).toEqual([])
  })
})

test('typesOf: what an argument can be without an error', () => {
  expect([...typesOf({ arg: 'a', prefix: 'x' })]).toEqual(['text', 'decimal'])
  expect([...typesOf({ arg: 'a', not: { in: [1, 'x'] } })]).toEqual(['number', 'text'])
  expect([...typesOf({ arg: 'a', min: '1' })]).toEqual(['number', 'decimal'])
  expect([...typesOf({ arg: 'a', minItems: 1 })]).toEqual(['list'])
  expect(typesOf({ arg: 'a', required: true }).size).toBe(6)
  expect(typesOf({ cel: 'true' }).size).toBe(6)
  expect(typesOf({ arg: 'a', equals: true, cidr: '10.0.0.0/8' }).size).toBe(0)
})
