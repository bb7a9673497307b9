import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Constraint, PolicySpec, ToolRule } from '../../lib/api/gen/types.ts'
import { decide } from '../../lib/core/decide.ts'
import { newHistory } from '../../lib/core/history/history.ts'
import { checkPolicy } from '../../lib/core/policy-check.ts'
import { type PreparedRemit, prepare } from '../../lib/core/prepare.ts'
import type { Json } from '../../lib/core/strict.ts'
import { spec as anySpec } from '../../lib/core/testing/arbitrary.ts'
import { NOW, remitOf } from '../../lib/core/testing/remit.ts'
import { compare } from './diff.ts'
import { openSolver, type Solver } from './solver/solver.ts'
import { answers } from './verify.ts'

let solver: Solver
beforeAll(() => {
  solver = openSolver()
})
afterAll(() => solver.close())

/** Operators that arbitrary.ts may not have, on few arguments, so that rules meet. */
const constraint: fc.Arbitrary<Constraint> = fc
  .tuple(
    fc.constantFrom('amount', 'currency', 'to[*]', 'to[*].email', 'deep.x'),
    fc.constantFrom<Omit<Constraint, 'arg'>>(
      { notIn: ['EUR', 'a@corp.example'] },
      { pattern: '^[a-z]+@corp' },
      { pattern: 'E|^5$' },
      { not: { pattern: '^[A-Z]+$' } },
      { not: { in: ['EUR', 'USD'] } },
      { prefix: '/srv/' },
      { absent: true },
      { min: '5' },
      { max: '5', min: '0.5' },
      { equals: 5 },
      { in: ['EUR', 5] },
    ),
    fc.boolean(),
  )
  .map(([arg, operator, optional]) => ({
    arg,
    ...operator,
    ...(optional && !('absent' in operator) ? { optional } : {}),
  }))

const more: fc.Arbitrary<PolicySpec> = fc
  .array(
    fc.tuple(
      fc.constantFrom<'Allow' | 'Ask' | 'Draft' | 'Deny'>('Allow', 'Allow', 'Ask', 'Draft', 'Deny'),
      fc.array(constraint, { minLength: 1, maxLength: 2 }),
      fc.constantFrom<ToolRule['otherwise']>(undefined, 'Ask', 'Deny'),
      fc.option(fc.constantFrom<string[]>(['amount', 'to'], ['currency', 'deep.x', 'to[*].email']), { nil: undefined }),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((rules) => ({
    tools: rules.map(([effect, where, otherwise, fields], index) => ({
      name: `m${index}`,
      match: { tools: ['refund'] },
      effect,
      where,
      ...(effect !== 'Deny' && otherwise ? { otherwise } : {}),
      ...(effect !== 'Deny' && fields ? { fields } : {}),
    })),
  }))
  .filter((policy) => checkPolicy(policy).length === 0)

const one = fc.oneof(anySpec, more)
/** A pair that has much in common: else nearly every change widens. */
const pair = fc.tuple(one, one, fc.nat()).map(([a, b, cut]): [PolicySpec, PolicySpec] => {
  const rules = [...(a.tools ?? []), ...(b.tools ?? []).map((rule) => ({ ...rule, name: `b-${rule.name}` }))]
  const kept = rules.filter((_, index) => index !== cut % (rules.length + 1))
  const guards = a.guards ?? []
  const invariants = [
    ...(a.invariants ?? []),
    ...(b.invariants ?? []).map((rule) => ({ ...rule, name: `b-${rule.name}` })),
  ]
  return cut % 2 === 0
    ? [
        { tools: rules, guards },
        { tools: kept, guards, invariants },
      ]
    : [
        { tools: kept, guards, invariants },
        { tools: rules, guards },
      ]
})

const scalar = fc.constantFrom<Json>(
  'EUR',
  'eur',
  'USD',
  'a@corp.example',
  'x@corp.example',
  '@corp.example',
  '/srv/a',
  '/srv/../a',
  '5',
  '5.0',
  '0',
  '1',
  '10',
  '10.01',
  '1.000',
  'ＥＵＲ',
  'E\nR',
  'é',
  '',
  'abc@corpus',
  0,
  0.5,
  1,
  5,
  5.01,
  10,
  10.5,
  -1,
  true,
  false,
  null,
)
const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  {
    weight: 2,
    arbitrary: fc.array(
      fc.oneof(
        scalar,
        scalar.map((email) => ({ email })),
      ),
      { maxLength: 3 },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom<Json>({}, [], { x: 1 }, [[]]) },
)
const args = fc.record(
  {
    amount: value,
    currency: value,
    to: value,
    deep: fc.oneof(value, fc.record({ x: value })),
    Amount: value,
    other: value,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Json>
const calls = fc.sample(
  fc.record({
    server: fc.constantFrom('billing', 'mail'),
    tool: fc.constantFrom('refund', 'get_invoice', 'send', 'zz'),
    arguments: args,
  }),
  { numRuns: 2_000 },
)

/** Each takes a second or so; a run with more is a matter of this number. */
const PAIRS = 12

test('what is said of a change holds for calls', { timeout: 240_000 }, async () => {
  const said = { 'no wider': 0, wider: 0, undecided: 0 }
  await fc.assert(
    fc.asyncProperty(pair, async ([old, now]) => {
      const before = remitOf([old])
      const after = remitOf([now])
      const found = await compare(before, after, { solver, timeout: 20_000, now: NOW })
      said[found.verdict]++
      for (const example of found.examples) expect(answers(example.question, example.decided)).toBe(true)
      if (found.verdict !== 'no wider') return
      const sides: Record<'old' | 'new', PreparedRemit> = { old: prepare(before), new: prepare(after) }
      const history = newHistory(sides.old)
      for (const call of calls) {
        const decided = { old: decide(sides.old, call, history, NOW), new: decide(sides.new, call, history, NOW) }
        if (answers('Allow', decided) || answers('Ask', decided))
          throw new Error(`it said no wider, but ${JSON.stringify({ call, decided })}`)
      }
    }),
    { numRuns: PAIRS },
  )
  // Both answers have to occur, or nothing was shown; and an answer is the rule.
  expect(said.wider).toBeGreaterThan(0)
  expect(said['no wider']).toBeGreaterThan(0)
  expect(said.undecided).toBeLessThanOrEqual(1)
})
