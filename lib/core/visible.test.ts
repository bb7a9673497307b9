import { expect, test } from 'vitest'
import type { PolicySpec } from '../api/gen/types.ts'
import { prepare } from './prepare.ts'
import { remitOf } from './testing/remit.ts'
import { visible } from './visible.ts'

const spec: PolicySpec = {
  tools: [
    { name: 'reads', match: { servers: ['billing'], tools: ['get_*'] }, effect: 'Allow' },
    { name: 'refunds', match: { tools: ['refund'] }, effect: 'Ask', where: [{ arg: 'amount', max: '5' }] },
    { name: 'no-secrets', match: { tools: ['get_secret'] }, effect: 'Deny' },
    { name: 'not-to-evil', match: { tools: ['get_mail'] }, effect: 'Deny', where: [{ arg: 'to', equals: 'evil' }] },
  ],
  guards: [{ name: 'asks', match: { tools: ['get_report', 'guarded'] } }],
  invariants: [
    { name: 'never', match: { tools: ['*_delete'] } },
    { name: 'small', match: { tools: ['refund'] }, unless: [{ arg: 'amount', max: '5000' }] },
  ],
}

test.each([
  ['billing', 'get_invoice', true],
  ['mail', 'get_invoice', false],
  ['billing', 'refund', true],
  ['billing', 'get_secret', false],
  ['billing', 'get_mail', true],
  ['billing', 'get_report', true],
  ['billing', 'guarded', false],
  ['billing', 'get_delete', false],
  ['billing', 'open_account', false],
  ['other', 'get_invoice', false],
  ['billing', 'get_\u0430', false],
])('%s/%s: %s', (server, tool, expected) => {
  expect(visible(prepare(remitOf([spec])), server, tool)).toBe(expected)
})

test('an agent that is only observed sees everything but what a cluster policy never allows', () => {
  const floor: PolicySpec = { invariants: [{ name: 'never', match: { tools: ['drop'] } }] }
  const prepared = prepare(remitOf([{ ...spec, mode: 'Observe' }], [floor]))
  expect(visible(prepared, 'billing', 'get_secret')).toBe(true)
  expect(visible(prepared, 'billing', 'drop')).toBe(false)
})

test('a suspended agent sees nothing', () => {
  expect(visible(prepare({ ...remitOf([spec]), suspended: true }), 'billing', 'get_invoice')).toBe(false)
})
