import { expect, test } from 'vitest'
import type { PolicySpec } from '../../lib/api/gen/types.ts'
import { remitOf } from '../../lib/core/testing/remit.ts'
import { readCalls } from './calls.ts'
import { explainLines } from './explain.ts'

const match = { tools: ['refund'] }
const explain = (spec: PolicySpec, lines: object[]) => {
  const { calls } = readCalls(Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n')), 'calls')
  return [...explainLines(remitOf([spec]), calls, { start: Date.parse('2026-11-21T02:00:00Z') })]
}
const call = { server: 'billing', tool: 'refund', arguments: { amount: 10 } }

test('says who decided, and who would if that rule were gone, and the next too', () => {
  const [explained] = explain(
    {
      tools: [{ name: 'refunds', match, effect: 'Allow' }],
      guards: [{ name: 'look-first', match }],
      invariants: [{ name: 'never', match }],
    },
    [call],
  )
  expect(explained?.by).toEqual({ policy: 'payments/p0', type: 'invariant', name: 'never' })
  expect(
    explained?.without.map(({ gone, decision }) => [gone.map(({ name }) => name), decision.effect, decision.rule]),
  ).toEqual([
    [['never'], 'Ask', 'look-first'],
    [['never', 'look-first'], 'Allow', 'refunds'],
  ])
})

test('takes away the rule that decided, not its namesake of another list', () => {
  const [explained] = explain(
    { tools: [{ name: 'refunds', match, effect: 'Allow' }], guards: [{ name: 'refunds', match }] },
    [call],
  )
  expect(explained?.by?.type).toBe('guard')
  expect(explained?.without[0]?.decision).toMatchObject({ effect: 'Allow', rule: 'refunds' })
})

test('the past stays what it was with the rule: its calls count for the one behind it', () => {
  const explained = explain(
    {
      tools: [
        { name: 'a', match, effect: 'Allow', limits: [{ calls: 2, per: '1h' }], otherwise: 'Deny' },
        { name: 'b', match, effect: 'Ask', limits: [{ calls: 1, per: '1h' }] },
      ],
    },
    [call, call, call],
  )
  // Without `b` the first is allowed, but it was not: nothing of it has happened.
  expect(explained.map(({ decision, without }) => [decision.effect, without[0]?.decision.effect])).toEqual([
    ['Ask', 'Allow'],
    ['Ask', 'Allow'],
    ['Ask', 'Allow'],
  ])
})

test('no rule to take away: none matches, the request is refused, the agent is frozen', () => {
  const spec: PolicySpec = { tools: [{ name: 'breaker', match, effect: 'Allow' }], breaker: { denials: 2 } }
  const other = { ...call, tool: 'pay' }
  const explained = explain(spec, [other, { ...call, arguments: [] }, other, call])
  expect(explained.map(({ decision }) => decision.code)).toEqual([
    'NoRuleAllows',
    'MalformedRequest',
    'NoRuleAllows',
    'AgentFrozen',
  ])
  for (const { by, without } of explained) expect([by, without]).toEqual([undefined, []])
})

test('a resource: who decided, and who would without that rule', () => {
  const [explained] = explain(
    {
      resources: [
        { name: 'handbook', match: { uris: ['file:///handbook/*'] }, effect: 'Allow' },
        { name: 'no-drafts', match: { uris: ['*/drafts/*'] }, effect: 'Deny' },
      ],
    },
    [{ server: 'mail', resource: 'file:///handbook/drafts/a.md' }],
  )
  expect(explained?.by).toEqual({ policy: 'payments/p0', type: 'resource', name: 'no-drafts' })
  expect(explained?.without.map(({ decision }) => [decision.effect, decision.rule ?? decision.code])).toEqual([
    ['Allow', 'handbook'],
    ['Deny', 'NoRuleAllows'],
  ])
})
