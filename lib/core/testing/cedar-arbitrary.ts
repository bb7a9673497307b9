import fc from 'fast-check'
import type { Constraint, PolicySpec, Scalar } from '../../api/gen/types.ts'
import { checkPolicy } from '../policy-check.ts'
import type { Json } from '../strict.ts'

/**
 * Policies and calls that this language and Cedar can both say (see cedar.ts). Every path has a type of its own, and
 * the operators and values of each path meet often; texts are ones that nothing takes for others.
 */
const TEXTS = ['EUR', 'USD', 'INV-7', 'INV-8-x', 'x-late', 'a*b', 'quote"d', 'back\\slash', '']
const NUMBERS = [-5, 0, 1, 50, 51, 9007199254740990, 9007199254740991, -9007199254740991]
const DECIMALS = ['0.01', '49.99', '50.00', '50.01', '-1.50', '900000.25', 'none', '1e2', '5,00']
const ADDRESSES = ['10.0.0.1', '10.255.0.9', '11.0.0.1', '192.0.2.7', '2001:db8::1', 'fe80::1', 'localhost']
const PEOPLE = ['ana', 'bo', 'cy', 'dee']

const some = <T>(values: readonly T[]) => fc.constantFrom(...values)
const few = <T>(values: readonly T[]) => fc.uniqueArray(some(values), { minLength: 1, maxLength: 3 })
type Test = Omit<Constraint, 'arg' | 'not' | 'optional'>
const among = (values: readonly Scalar[]): fc.Arbitrary<Test> =>
  fc.oneof(
    some(values).map((equals) => ({ equals })),
    few(values).map((list) => ({ in: list })),
    few(values).map((notIn) => ({ notIn })),
  )
const ordered = (bounds: readonly string[]): fc.Arbitrary<Test> =>
  fc.oneof(
    some(bounds).map((min) => ({ min })),
    some(bounds).map((max) => ({ max })),
    fc
      .tuple(fc.nat(bounds.length - 1), fc.nat(bounds.length - 1))
      .map(([a, b]) => ({ min: bounds[Math.min(a, b)] as string, max: bounds[Math.max(a, b)] as string })),
  )
const affix: fc.Arbitrary<Test> = fc.oneof(
  some(['INV-', 'E', 'a*', 'quote"']).map((prefix) => ({ prefix })),
  some(['-late', 'R', '*b', '\\slash']).map((suffix) => ({ suffix })),
)
const network = some(['10.0.0.0/8', '10.0.0.1/32', '192.0.2.0/24', '2001:db8::/32', '0.0.0.0/0']).map((cidr) => ({
  cidr,
}))
const items: fc.Arbitrary<Test> = fc.oneof(
  few(PEOPLE).map((subsetOf) => ({ subsetOf })),
  fc.constant({ minItems: 1 }),
  fc.constant({ maxItems: 0 }),
)
const presence: fc.Arbitrary<Test> = some([{ required: true }, { absent: true }] as const)

const PATHS: Record<string, fc.Arbitrary<Test>> = {
  currency: fc.oneof(among(TEXTS), affix),
  amount: fc.oneof(among(NUMBERS), ordered(['-9007199254740991', '-1', '0', '1', '50', '9007199254740990'])),
  urgent: among([true, false]),
  'deep.level': fc.oneof(among(NUMBERS), ordered(['-1', '0', '50']), affix),
  'deep.who': fc.oneof(among(TEXTS), ordered(['0', '50'])),
  price: ordered(['-0.50', '0.01', '50', '50.00', '1000.5']),
  address: network,
  tags: items,
  'to[*]': among(PEOPLE),
}

const constraint: fc.Arbitrary<Constraint> = some(Object.keys(PATHS)).chain((arg) =>
  fc
    .tuple(
      fc.oneof(
        { weight: 8, arbitrary: PATHS[arg] as fc.Arbitrary<Test> },
        // Whether a list has elements is not what required asks.
        { weight: arg.endsWith('[*]') ? 0 : 1, arbitrary: presence },
      ),
      fc.boolean(),
      fc.boolean(),
    )
    .map(([test, negate, optional]) => ({
      arg,
      ...(negate ? { not: test } : test),
      ...(optional && !('required' in test) && !('absent' in test) ? { optional } : {}),
    })),
)
const constraints = fc.option(fc.array(constraint, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 4 })

const match = fc
  .tuple(
    some([undefined, ['billing'], ['mail', 'billing'], ['b*']]),
    some([['*'], ['refund'], ['get_*', 'send'], ['*e*']]),
  )
  .map(([servers, tools]) => ({ ...(servers ? { servers } : {}), tools }))

const rule = fc
  .tuple(
    match,
    some(['Allow', 'Allow', 'Allow', 'Draft', 'Ask', 'Deny'] as const),
    constraints,
    some([undefined, undefined, 'Draft', 'Ask', 'Deny'] as const),
  )
  .map(([matched, effect, where, otherwise]) => ({
    match: matched,
    effect,
    ...(where ? { where } : {}),
    ...(where && effect !== 'Deny' && otherwise ? { otherwise } : {}),
  }))
const restricting = fc
  .tuple(match, constraints)
  .map(([matched, unless]) => ({ match: matched, ...(unless ? { unless } : {}) }))
const named = <R extends object>(rules: R[]) => rules.map((each, index) => ({ name: `r${index}`, ...each }))

export const speakableSpec: fc.Arbitrary<PolicySpec> = fc
  .tuple(
    fc.array(rule, { minLength: 1, maxLength: 4 }),
    fc.array(restricting, { maxLength: 1 }),
    fc.array(restricting, { maxLength: 1 }),
  )
  .map(([tools, guards, invariants]) => ({
    tools: named(tools),
    guards: named(guards),
    invariants: named(invariants),
  }))
  // Constraints that contradict each other are refused before anything is decided.
  .filter((spec) => checkPolicy(spec).length === 0)

/** Mostly of the type that operators of the path expect, sometimes of another. */
const mostly = (right: fc.Arbitrary<Json>, wrong: Json[]): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: some(wrong) })
const texts = mostly(some(TEXTS), [5, true, ['EUR'], { EUR: 1 }])
const numbers = mostly(some(NUMBERS), ['fifty', false, [1], {}])
const people = mostly(fc.uniqueArray(some(PEOPLE), { maxLength: 3 }), ['ana', 1, {}])

/** Every argument is given in nine calls of ten: constraints that nothing fails are to be met often. */
const given = (all: Record<string, fc.Arbitrary<Json>>): fc.Arbitrary<Json> =>
  fc
    .record(
      Object.fromEntries(
        Object.entries(all).map(([key, value]) => [key, fc.option(value, { nil: undefined, freq: 9 })]),
      ),
    )
    .map((object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Json)

export const speakableCall = fc.record({
  server: some(['billing', 'mail']),
  tool: some(['refund', 'get_invoice', 'send', 'drop']),
  arguments: given({
    currency: texts,
    amount: numbers,
    urgent: mostly(fc.boolean(), ['true', 1]),
    deep: mostly(
      given({ level: fc.oneof({ weight: 5, arbitrary: numbers }, { weight: 1, arbitrary: texts }), who: texts }),
      ['deep', 7, ['level']],
    ),
    price: mostly(some(DECIMALS), [true, ['50.00'], {}]),
    address: mostly(some(ADDRESSES), [10, ['10.0.0.1']]),
    tags: people,
    to: people,
  }),
})
