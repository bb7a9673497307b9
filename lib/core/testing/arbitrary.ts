import fc from 'fast-check'
import type { Constraint, PolicySpec, RestrictingRule, ToolRule } from '../../api/gen/types.ts'
import { checkConstraints } from '../constraint-check.ts'
import { problems } from '../problem.ts'
import type { Json } from '../strict.ts'

/** Few names and values, so that rules meet calls often. */
const tools = ['refund', 'get_invoice', 'send']
const paths = ['amount', 'currency', 'to[*]', 'to[*].email', 'deep.x', 'constructor']
const scalar = fc.constantFrom<string | number | boolean>('EUR', 'a@corp.example', '5', 5, 50, 0, true)

const operator = fc.oneof(
  scalar.map((equals) => ({ equals })),
  fc.array(scalar, { minLength: 1, maxLength: 3 }).map((values) => ({ in: values })),
  fc.constantFrom(
    { prefix: 'E' },
    { suffix: '@corp.example' },
    { min: '1' },
    { max: '10.00' },
    { min: '1', max: '10' },
    { required: true },
  ),
)
const constraint: fc.Arbitrary<Constraint> = fc
  .tuple(fc.constantFrom(...paths), operator, fc.boolean(), fc.boolean())
  .map(([arg, test, negate, optional]) => ({
    arg,
    ...(negate ? { not: test } : test),
    ...(optional && !('required' in test) ? { optional } : {}),
  }))

/** Lists of constraints that are accepted: none that contradict one another. */
const accepted = fc.array(constraint, { minLength: 1, maxLength: 3 }).filter((list) => {
  const found = problems()
  checkConstraints(list, 'where', found)
  return found.list.length === 0
})
const constraints = fc.option(accepted, { nil: undefined })
const match = fc
  .tuple(
    fc.constantFrom<string[] | undefined>(undefined, ['billing'], ['mail'], ['b*']),
    fc.constantFrom<string[]>(['*'], ['refund'], ['get_*', 'send']),
  )
  .map(([servers, names]) => ({ ...(servers ? { servers } : {}), tools: names }))

const toolRule: fc.Arbitrary<Omit<ToolRule, 'name'>> = fc
  .tuple(
    match,
    fc.constantFrom<'Allow' | 'Ask' | 'Deny'>('Allow', 'Allow', 'Ask', 'Deny'),
    constraints,
    fc.constantFrom(undefined, 'Ask', 'Deny'),
  )
  .map(([matched, effect, where, otherwise]) => ({
    match: matched,
    effect,
    ...(where ? { where } : {}),
    ...(where && effect !== 'Deny' && otherwise ? { otherwise: otherwise as 'Ask' | 'Deny' } : {}),
  }))
export const restrictingRule: fc.Arbitrary<Omit<RestrictingRule, 'name'>> = fc
  .tuple(match, constraints)
  .map(([matched, unless]) => ({ match: matched, ...(unless ? { unless } : {}) }))

const named = <R extends object>(rules: R[]): (R & { name: string })[] =>
  rules.map((rule, index) => ({ name: `r${index}`, ...rule }))

export const spec: fc.Arbitrary<PolicySpec> = fc
  .tuple(
    fc.array(toolRule, { maxLength: 4 }),
    fc.array(restrictingRule, { maxLength: 2 }),
    fc.array(restrictingRule, { maxLength: 2 }),
  )
  .map(([rules, guards, invariants]) => ({ tools: named(rules), guards: named(guards), invariants: named(invariants) }))

const value: fc.Arbitrary<Json> = fc.oneof(
  scalar,
  fc.constant(null),
  fc.array(
    fc.oneof(
      scalar,
      scalar.map((email) => ({ email })),
    ),
    { maxLength: 3 },
  ),
)
export const args: fc.Arbitrary<Json> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      { amount: value, currency: value, to: value, deep: fc.record({ x: value }) },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Json>,
  },
  { weight: 1, arbitrary: value },
)
export const call = fc.record({
  server: fc.constantFrom('billing', 'mail'),
  tool: fc.constantFrom(...tools),
  arguments: args,
})
