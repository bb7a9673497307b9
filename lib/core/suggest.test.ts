import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Constraint } from '../api/gen/types.ts'
import type { IntentBody } from '../api/receipt.ts'
import { checkPolicy } from './policy-check.ts'
import { prepare } from './prepare.ts'
import type { Json } from './strict.ts'
import { suggestPolicy } from './suggest.ts'
import { args } from './testing/arbitrary.ts'
import { decideFirst, remitOf } from './testing/remit.ts'

const intent = (tool: string, args?: Json, change: Partial<IntentBody> = {}): IntentBody => ({
  kind: 'intent',
  agent: {
    id: 'a',
    namespace: 'payments',
    name: 'billing-bot',
    createdBy: { username: 'ana', at: '2026-11-01T00:00:00Z' },
  },
  owner: { group: 'billing-team', onCall: ['ana'] },
  remit: { digest: '', generation: 1 },
  call: {
    type: 'tool',
    server: 'billing',
    tool,
    argumentsDigest: '',
    argumentsBytes: 0,
    ...(args === undefined ? {} : { arguments: args }),
  },
  decision: { effect: 'Allow', reason: '' },
  ...change,
})
const suggest = (intents: IntentBody[]) => suggestPolicy(intents, 'billing', 'payments')
const where = (...all: Json[]): Constraint[] | undefined =>
  suggest(all.map((one) => intent('refund', one))).spec.tools?.[0]?.where

test('what a billing agent did in an hour', () => {
  const refund = (amount: number, to: string, memo: string) =>
    intent('refund', { invoice_id: `INV-${amount}`, amount, currency: 'EUR', notify: [{ email: to }], memo })
  const policy = suggest([
    refund(12.5, 'ana@corp.example', 'late delivery'),
    intent('get_invoice', { id: 1 }),
    refund(3, 'bo@corp.example', 'broken'),
    intent('list_invoices', {}),
    intent('get_customer', { id: 2 }),
    intent('delete_invoice', { id: 1 }, { decision: { effect: 'Deny', code: 'NoRuleAllows', reason: '' } }),
    intent(
      'refund',
      {},
      { call: { type: 'model', model: 'main', method: 'POST', path: '/', requestDigest: '', requestBytes: 0 } },
    ),
  ])
  expect(policy).toEqual({
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentPolicy',
    metadata: { name: 'billing', namespace: 'payments' },
    spec: {
      mode: 'Enforce',
      tools: [
        {
          name: 'read-billing',
          match: { servers: ['billing'], tools: ['get_*', 'list_invoices'] },
          class: 'Read',
          effect: 'Allow',
        },
        {
          name: 'refund',
          match: { servers: ['billing'], tools: ['refund'] },
          effect: 'Allow',
          where: [
            { arg: 'amount', min: '3', max: '12.5' },
            { arg: 'currency', in: ['EUR'] },
            { arg: 'invoice_id', prefix: 'INV-' },
            { arg: 'notify[*].email', suffix: '@corp.example' },
          ],
        },
      ],
    },
  })
})

describe('what arguments had in common', () => {
  test.each<[string, Json[], Constraint[] | undefined]>([
    ['few texts that recur', [{ a: 'x' }, { a: 'y' }, { a: 'x' }], [{ arg: 'a', in: ['x', 'y'] }]],
    ['texts that all differ', [{ a: 'x' }, { a: 'y' }], undefined],
    ['one call', [{ a: 'x' }], [{ arg: 'a', in: ['x'] }]],
    ['free text', [{ a: 'thank you' }, { a: 'thank you' }], undefined],
    ['a truth value that never changes', [{ a: true }, { a: true }], [{ arg: 'a', equals: true }]],
    ['a truth value that changes', [{ a: true }, { a: false }], undefined],
    ['a number that is an id', [{ invoice_id: 5 }, { orderId: 7 }], undefined],
    ['decimals as text', [{ a: '12.50' }, { a: '3.00' }], [{ arg: 'a', min: '3', max: '12.5' }]],
    ['numbers and texts', [{ a: 5 }, { a: 'x' }], undefined],
    ['sometimes left out', [{ a: true }, {}], [{ arg: 'a', equals: true, optional: true }]],
    ['sometimes null', [{ a: true }, { a: null }], undefined],
    ['sometimes an empty list', [{ a: [1] }, { a: [] }], undefined],
    ['sometimes another shape', [{ a: { b: 1 } }, { a: 1 }], undefined],
    ['addresses at two domains', [{ a: 'x@a.example' }, { a: 'x@b.example' }], undefined],
    ['a text no suffix would pass', [{ a: 'x,y@a.example' }, { a: 'z@a.example' }], undefined],
    ['names no path can spell', [{ 'a.b': 1, 'c d': 2, '': 3 }], undefined],
    ['a huge number', [{ a: 1e60 }], undefined],
  ])('%s', (_, all, expected) => {
    expect(where(...all)).toEqual(expected)
  })
  test('arguments too large to keep leave the tool unconstrained', () => {
    expect(suggest([intent('refund', { a: 1 }), intent('refund')]).spec.tools?.[0]).not.toHaveProperty('where')
  })
})

test('names of rules are unique and spelled as rules are', () => {
  const policy = suggest(
    ['Send_Mail', 'send-mail', 'send/mail', '___', 'x'.repeat(128)].map((tool) => intent(tool, {})),
  )
  expect(policy.spec.tools?.map(({ name }) => name)).toEqual([
    'send-mail',
    'tool',
    'send-mail-2',
    'send-mail-3',
    'x'.repeat(56),
  ])
})

test('nothing done, nothing allowed', () => {
  expect(suggest([]).spec).toEqual({ mode: 'Enforce', tools: [] })
})

test('every call that was made is allowed, the policy is accepted, and the order of calls does not matter', () => {
  const call = fc.record({
    tool: fc.constantFrom('refund', 'send', 'get_a', 'get_b', 'read_a'),
    args: fc.oneof(args, fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>),
  })
  fc.assert(
    fc.property(fc.array(call, { maxLength: 8 }), (calls) => {
      const intents = calls.map(({ tool, args: given }) => intent(tool, given))
      const policy = suggest(intents)
      expect(checkPolicy(policy.spec)).toEqual([])
      expect(suggest(intents.toReversed())).toEqual(policy)
      const prepared = prepare(remitOf([policy.spec]))
      for (const { tool, args: given } of calls) {
        expect(decideFirst(prepared, { server: 'billing', tool, arguments: given }).effect).toBe('Allow')
      }
    }),
    { numRuns: 500 },
  )
})
