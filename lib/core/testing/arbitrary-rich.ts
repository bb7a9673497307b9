import fc from 'fast-check'
import type { Constraint, Match, PolicySpec, TaintRule, ToolClass, ToolRule } from '../../api/gen/types.ts'
import type { Past } from '../../api/ledger.ts'
import type { Effect, ResultBody } from '../../api/receipt.ts'
import { definitionDigest } from '../pin.ts'
import { checkPolicy } from '../policy-check.ts'
import type { Json } from '../strict.ts'
import { args } from './arbitrary.ts'
import { NOW } from './remit.ts'

/** Policies with everything the language has, calls that meet them often, and pasts they look at. */
const some = <T>(...values: T[]) => fc.constantFrom(...values)
/** Once in so many times. */
const maybe = <T>(value: fc.Arbitrary<T>, times = 2): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
/** Without what is undefined, as a policy that was read. */
const tidy = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T

const TOOLS = ['refund', 'get_invoice', 'send']
const CLASSES: ToolClass[] = ['Read', 'Draft', 'Write', 'SideEffect', 'Autonomous']

const operator: fc.Arbitrary<Omit<Constraint, 'arg' | 'not' | 'optional'>> = some(
  { equals: 'EUR' },
  { in: ['EUR', 5, true] },
  { notIn: ['USD'] },
  { prefix: 'E' },
  { suffix: '@corp.example' },
  { min: '1' },
  { max: '10.00' },
  { min: '1', max: '10' },
  { cidr: '10.0.0.0/8' },
  { pattern: '^[A-Z]{3}$' },
  { subsetOf: ['EUR', 'a@corp.example', 5] },
  { minItems: 1 },
  { maxItems: 2 },
  { required: true as const },
  { absent: true as const },
)
const constraint: fc.Arbitrary<Constraint> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .tuple(some('amount', 'currency', 'to', 'to[*]', 'to[*].email', 'deep.x'), operator, fc.boolean(), fc.boolean())
      .map(([arg, test, negate, optional]) => ({
        arg,
        ...(negate ? { not: test } : test),
        ...(optional && !('required' in test) && !('absent' in test) ? { optional } : {}),
      })),
  },
  { weight: 1, arbitrary: some<Constraint>({ cel: 'args.amount > 3' }, { not: { cel: 'tool == "refund"' } }) },
)
const constraints = maybe(fc.array(constraint, { minLength: 1, maxLength: 2 }))
const match: fc.Arbitrary<Match> = fc
  .tuple(
    maybe(some(['billing'], ['mail'], ['b*'])),
    some(['*'], ['refund'], ['get_*', 'send']),
    maybe(fc.subarray(CLASSES, { minLength: 1, maxLength: 3 }), 3),
  )
  .map(([servers, tools, classes]) => tidy({ servers, tools, classes }))

const limit = some(
  { per: '10s', calls: 2 },
  { per: '1h', sum: 'amount', max: '12' },
  { per: '10s', distinct: 'currency', max: '1' },
  { concurrent: 1 },
  { per: '10s', calls: 3, scope: 'Agent' as const },
)
const toolRule: fc.Arbitrary<Omit<ToolRule, 'name'>> = fc
  .record({
    match,
    class: maybe(some(...CLASSES)),
    effect: some('Allow', 'Allow', 'Allow', 'Draft', 'Ask', 'Deny'),
    where: constraints,
    fields: maybe(some(['amount', 'currency'], ['to', 'deep.x', 'amount', 'currency']), 5),
    limits: maybe(fc.array(limit, { minLength: 1, maxLength: 2 }), 5),
    evidence: maybe(some([{ tool: 'billing/get_*', within: '10s', same: { currency: 'currency' } }]), 8),
    otherwise: maybe(some('Ask', 'Draft', 'Deny')),
  })
  .map((rule) => tidy(rule) as Omit<ToolRule, 'name'>)
const restrictingRule = fc.tuple(match, constraints).map(([matched, unless]) => tidy({ match: matched, unless }))
/** A restricting rule that is accepted. */
export const restricting = restrictingRule.filter(
  (rule) => checkPolicy({ guards: [{ name: 'more', ...rule }] }).length === 0,
)
const taint: fc.Arbitrary<Omit<TaintRule, 'name'>> = fc
  .tuple(match, match, constraints)
  .map(([after, matched, unless]) => tidy({ after, match: matched, for: '10s', unless }))

export const DEFINITION = {
  name: 'refund',
  description: 'Gives money back',
  inputSchema: { type: 'object', properties: { amount: {}, currency: { type: 'string' } } },
}
const pin = {
  server: 'billing',
  tool: 'refund',
  digest: definitionDigest(DEFINITION),
  definition: DEFINITION,
}
const named = <R extends object>(rules: R[]): (R & { name: string })[] =>
  rules.map((rule, index) => ({ name: `r${index}`, ...rule }))

/** What takes away, whatever else a policy says; each with whether it is accepted by itself. */
const whole = fc.record({
  readOnly: maybe(some(true as const), 15),
  tools: fc.array(toolRule, { maxLength: 4 }).map(named),
  guards: fc.array(restrictingRule, { maxLength: 1 }).map(named),
  invariants: fc.array(restrictingRule, { maxLength: 1 }).map(named),
  taint: fc.array(taint, { maxLength: 1 }).map(named),
  pins: maybe(some([pin]), 12),
  breaker: maybe(some({ denials: 4 }, { errors: 3 }, { calls: 12, per: '10s' }), 8),
})
export const richSpec: fc.Arbitrary<PolicySpec> = whole
  .map((spec) => tidy(spec) as PolicySpec)
  .filter((spec) => checkPolicy(spec).length === 0)

export const richCall = fc.record({
  server: some('billing', 'mail'),
  tool: some(...TOOLS),
  arguments: args,
})

/** What a server may say of its tools; only explicit truth values count. */
export const annotations: fc.Arbitrary<{ [hint: string]: Json }> = fc.dictionary(
  some('readOnlyHint', 'destructiveHint', 'openWorldHint', 'idempotentHint'),
  some<Json>(true, false, 'true', null),
  { maxKeys: 4 },
)

/** A past of a few calls: each an intent and mostly a result, in the last quarter of a minute. */
export const past: fc.Arbitrary<Past[]> = fc
  .array(
    fc.record({
      server: some('billing', 'mail'),
      tool: some(...TOOLS),
      effect: some<Effect>('Allow', 'Allow', 'Allow', 'Deny', 'Ask'),
      class: maybe(some(...CLASSES)),
      facts: fc.record({ amount: some([5], ['0.5'], [1]), currency: some(['EUR'], ['USD']) }, { requiredKeys: [] }),
      outcome: some<ResultBody['outcome'] | undefined>('ok', 'ok', 'error', 'timeout', undefined),
      before: fc.nat(15_000),
    }),
    { maxLength: 6 },
  )
  .map((calls) =>
    calls
      .sort((a, b) => b.before - a.before)
      .flatMap(({ outcome, before, ...call }, index): Past[] => {
        const id = `past-${index}`
        const at = NOW - before
        const intent: Past = tidy({ kind: 'intent' as const, id, at, ...call })
        return outcome === undefined || call.effect !== 'Allow'
          ? [intent]
          : [intent, { kind: 'result', id, at, outcome }]
      }),
  )
