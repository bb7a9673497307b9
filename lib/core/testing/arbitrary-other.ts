import fc from 'fast-check'
import type { Constraint, PolicySpec, PromptRule, RequestRule, ResourceRule } from '../../api/gen/types.ts'
import { checkConstraints } from '../constraint-check.ts'
import { type OtherCall, REQUESTS } from '../other-call.ts'
import { problems } from '../problem.ts'
import type { Json } from '../strict.ts'
import { restrictingRule } from './arbitrary.ts'

/** Few names and values, so that rules meet what is asked often. */
const some = <T>(...values: T[]) => fc.constantFrom(...values)
const constraint = (args: string[], operators: object[]): fc.Arbitrary<Constraint[] | undefined> =>
  fc.option(
    fc
      .array(
        fc
          .tuple(some(...args), some(...operators), fc.boolean(), fc.boolean())
          .map(([arg, operator, negate, optional]): Constraint => {
            const test = negate ? { not: operator } : operator
            return {
              arg,
              ...test,
              ...(optional && !('required' in operator || 'absent' in operator) ? { optional } : {}),
            }
          }),
        { minLength: 1, maxLength: 2 },
      )
      .filter((list) => {
        const found = problems()
        checkConstraints(list, 'where', found)
        return found.list.length === 0
      }),
    { nil: undefined },
  )

const servers = some<string[] | undefined>(undefined, ['billing'], ['mail'], ['b*'])
const uris = some<string[]>(['*'], ['file:///a/*'], ['file:///a/x.md', 'memo:*'], ['*.md'], ['file:///*'])
const prompts = some<string[]>(['*'], ['summ*'], ['summarize', 'greet'])
const methods = some<NonNullable<RequestRule['match']['methods']>>(
  ['elicitation/create'],
  ['sampling/createMessage', 'roots/list'],
  [...REQUESTS],
)
const effect = some<'Allow' | 'Ask' | 'Deny'>('Allow', 'Allow', 'Ask', 'Deny')

const matched = <K extends string, V>(key: K, names: fc.Arbitrary<V>) =>
  fc
    .tuple(servers, names)
    .map(([on, about]) => ({ ...(on ? { servers: on } : {}), [key]: about }) as { servers?: string[] } & Record<K, V>)
const tidy = <T extends object>(rule: T): T =>
  Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined)) as T
const URI = [{ prefix: 'file:///a/' }, { suffix: '.md' }, { in: ['file:///a/x.md', 'memo:b'] }, { pattern: '^memo:' }]
const ARGUMENT = [{ in: ['short'] }, { equals: 'long' }, { absent: true }, { required: true }]
const PARAM = [{ in: ['form'] }, { equals: 'url' }, { max: '100' }, { required: true }]

const resourceRule = fc
  .record({ match: matched('uris', uris), effect, where: constraint(['uri'], URI) })
  .map((rule): Omit<ResourceRule, 'name'> => tidy(rule))
const promptRule = fc
  .record({ match: matched('prompts', prompts), effect, where: constraint(['length', 'tone'], ARGUMENT) })
  .map((rule): Omit<PromptRule, 'name'> => tidy(rule))
const requestRule = fc
  .record({
    match: matched('methods', methods),
    effect: some<'Allow' | 'Deny'>('Allow', 'Allow', 'Deny'),
    where: constraint(['mode', 'maxTokens'], PARAM),
    answer: constraint(['action', 'content.password'], [{ in: ['accept'] }, { absent: true }]),
  })
  .map(
    ({ answer, ...rule }): Omit<RequestRule, 'name'> =>
      tidy({ ...rule, answer: rule.effect === 'Deny' ? undefined : answer }),
  )

const named = <R extends object>(prefix: string, rules: R[]): (R & { name: string })[] =>
  rules.map((rule, index) => ({ name: `${prefix}${index}`, ...rule }))

/** Restrictions that name servers alone are about all of them; the others are about tools and must change nothing. */
const restriction = fc.oneof(
  restrictingRule,
  servers.map((on) => ({ match: on === undefined ? { tools: ['*'] } : { servers: on } })),
)

export const otherSpec: fc.Arbitrary<PolicySpec> = fc
  .record({
    resources: fc.array(resourceRule, { maxLength: 3 }),
    prompts: fc.array(promptRule, { maxLength: 3 }),
    requests: fc.array(requestRule, { maxLength: 3 }),
    guards: fc.array(restriction, { maxLength: 1 }),
    invariants: fc.array(restriction, { maxLength: 1 }),
  })
  .map((spec) => ({
    resources: named('r', spec.resources),
    prompts: named('p', spec.prompts),
    requests: named('q', spec.requests),
    guards: named('g', spec.guards),
    invariants: named('i', spec.invariants),
  }))

const server = some('billing', 'mail')
const value: fc.Arbitrary<Json> = some<Json>('short', 'long', 'form', 'url', 50, 500, null, ['short'])
export const otherCall: fc.Arbitrary<OtherCall> = fc.oneof(
  fc.record({
    type: fc.constant('resource' as const),
    server,
    name: some(
      'file:///a/x.md',
      'file:///a/y.txt',
      'file:///b.md',
      'memo:b',
      'https://corp.example/x',
      'file:///a/../b',
    ),
    arguments: fc.constant({}),
  }),
  fc.record({
    type: fc.constant('prompt' as const),
    server,
    name: some('summarize', 'greet', 'other'),
    arguments: fc.record({ length: value, tone: value }, { requiredKeys: [] }) as fc.Arbitrary<Json>,
  }),
  fc.record({
    type: fc.constant('request' as const),
    server,
    name: some(...REQUESTS),
    arguments: fc.record({ mode: value, maxTokens: value }, { requiredKeys: [] }) as fc.Arbitrary<Json>,
  }),
)
export const answer: fc.Arbitrary<Json> = fc.record(
  { action: some<Json>('accept', 'decline', 7), content: some<Json>({}, { password: 'x' }, 'x') },
  { requiredKeys: [] },
) as fc.Arbitrary<Json>
