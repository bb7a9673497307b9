import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PolicySpec } from '../api/gen/types.ts'
import type { ToolCall } from './decide.ts'
import { checkPolicy } from './policy-check.ts'
import { prepare } from './prepare.ts'
import type { Json } from './strict.ts'
import { args, call, restrictingRule, spec } from './testing/arbitrary.ts'
import { decideFirst, remitOf } from './testing/remit.ts'
import { visible } from './visible.ts'

const decideUnder = (specs: PolicySpec[], toolCall: ToolCall, cluster: PolicySpec[] = []) =>
  decideFirst(prepare(remitOf(specs, cluster)), toolCall)
const OPENNESS = { Deny: 0, Ask: 1, Draft: 2, Allow: 3 }
const openness = (specs: PolicySpec[], toolCall: ToolCall, cluster: PolicySpec[] = []) =>
  OPENNESS[decideUnder(specs, toolCall, cluster).effect]

test('the policies tried here are ones that are accepted, and every outcome is reached', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(spec, call, (policy, toolCall) => {
      expect(checkPolicy(policy)).toEqual([])
      const { effect, code } = decideUnder([policy], toolCall)
      seen.add(`${effect} ${code ?? ''}`)
    }),
    { numRuns: 3000 },
  )
  const outcomes = [
    'Allow ',
    'Ask WaitingForPerson',
    ...['ConstraintError', 'ConstraintFailed', 'DeniedByInvariant', 'DeniedByRule', 'NoRuleAllows'].map(
      (code) => `Deny ${code}`,
    ),
  ]
  expect([...seen].sort()).toEqual(outcomes.sort())
})

test('the order of rules changes nothing, not even what is said', () => {
  const reversed = ({ tools, guards, invariants }: PolicySpec): PolicySpec => ({
    tools: tools?.toReversed(),
    guards: guards?.toReversed(),
    invariants: invariants?.toReversed(),
  })
  fc.assert(
    fc.property(spec, call, (policy, toolCall) => {
      expect(decideUnder([reversed(policy)], toolCall)).toEqual(decideUnder([policy], toolCall))
    }),
  )
})

test('adding an invariant, a guard or a Deny rule never widens', () => {
  fc.assert(
    fc.property(
      spec,
      call,
      restrictingRule,
      fc.constantFrom('invariants', 'guards', 'deny'),
      (policy, toolCall, rule, kind) => {
        const more: PolicySpec =
          kind === 'deny'
            ? {
                tools: [
                  { name: 'more', match: rule.match, effect: 'Deny', ...(rule.unless ? { where: rule.unless } : {}) },
                ],
              }
            : { [kind]: [{ name: 'more', ...rule }] }
        expect(openness([policy, more], toolCall)).toBeLessThanOrEqual(openness([policy], toolCall))
        expect(openness([policy], toolCall, [more])).toBeLessThanOrEqual(openness([policy], toolCall))
      },
    ),
    { numRuns: 500 },
  )
})

test('an invariant without exceptions denies, whatever else is written', () => {
  fc.assert(
    fc.property(spec, call, (policy, toolCall) => {
      const never: PolicySpec = { invariants: [{ name: 'never', match: { tools: ['*'] } }] }
      expect(decideUnder([policy, never], toolCall)).toMatchObject({ effect: 'Deny', code: 'DeniedByInvariant' })
      expect(decideUnder([{ ...policy, mode: 'Observe' }], toolCall, [never]).effect).toBe('Deny')
    }),
  )
})

test('adding a policy in Observe changes nothing but what was observed', () => {
  fc.assert(
    fc.property(spec, spec, call, (policy, tried, toolCall) => {
      const { observed, ...decision } = decideUnder([policy, { ...tried, mode: 'Observe' }], toolCall)
      const enforced = decideUnder([policy, tried], toolCall)
      expect(decision).toEqual(decideUnder([policy], toolCall))
      expect(observed?.effect ?? decision.effect).toBe(enforced.effect)
    }),
  )
})

test('what no rule gives is denied', () => {
  fc.assert(
    fc.property(spec, call, (policy, toolCall) => {
      expect(
        decideUnder([{ ...policy, tools: policy.tools?.filter((rule) => rule.effect === 'Deny') }], toolCall).effect,
      ).toBe('Deny')
    }),
  )
})

test('nothing is coerced: another type of the same look is never allowed where the value is', () => {
  const twins: [Json, Json][] = [
    [5, '5'],
    ['5', 5],
    [true, 'true'],
    [0, false],
    ['EUR', ['EUR']],
    [1, true],
    ['', null],
  ]
  fc.assert(
    fc.property(fc.constantFrom(...twins), fc.boolean(), ([value, twin], many) => {
      const wanted = value as string
      const test = many ? { in: [wanted] } : { equals: wanted }
      const policy: PolicySpec = {
        tools: [{ name: 'r', match: { tools: ['*'] }, effect: 'Allow', where: [{ arg: 'x', ...test }] }],
      }
      const effect = (x: Json) => decideUnder([policy], { server: 'billing', tool: 'refund', arguments: { x } }).effect
      expect([effect(value), effect(twin)]).toEqual(['Allow', 'Deny'])
    }),
  )
})

test('a tool that is hidden has no call that would be allowed or wait', () => {
  fc.assert(
    fc.property(spec, call, (policy, toolCall) => {
      const prepared = prepare(remitOf([policy]))
      if (decideFirst(prepared, toolCall).effect === 'Deny') return
      expect(visible(prepared, toolCall.server, toolCall.tool)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('a reason shows no argument but the offending one', () => {
  const policy: PolicySpec = {
    tools: [
      { name: 'r', match: { tools: ['*'] }, effect: 'Allow', where: [{ arg: 'amount', max: '50' }], otherwise: 'Ask' },
    ],
  }
  fc.assert(
    fc.property(args, fc.stringMatching(/^secret-[a-z0-9]{12}$/), (others, secret) => {
      const whole = { ...(others as object), memo: secret, [secret]: 1 } as Json
      expect(decideUnder([policy], { server: 'billing', tool: 'refund', arguments: whole }).reason).not.toContain(
        secret,
      )
    }),
  )
})
