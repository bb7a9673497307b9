import { describe, expect, test } from 'vitest'
import type { PolicySpec, Redaction, ToolRule } from '../../api/gen/types.ts'
import type { RemitRule } from '../../api/remit.ts'
import { checkPolicy } from '../policy-check.ts'
import { redactionConflicts } from './redact.ts'

const match = { servers: ['billing'], tools: ['refund'] }
const rule = (change: Partial<ToolRule>): ToolRule => ({ name: 'r', match, effect: 'Allow', ...change })
const sum = (path: string, change: object = {}) => rule({ limits: [{ per: '1d', sum: path, max: '5', ...change }] })
const hide = (path: string, about: Redaction['match'] = match): Redaction => ({ match: about, arguments: [path] })
const fields = (tools: ToolRule[], ...redact: Redaction[]) =>
  checkPolicy({ tools, redact } as PolicySpec).map(({ field }) => field)

describe('what a rule goes by cannot be redacted', () => {
  const LIMIT = 'spec.tools[0].limits[0].sum'
  test.each<[string, ToolRule[], Redaction, string]>([
    ['a sum', [sum('amount')], hide('amount'), LIMIT],
    ['what lies inside of it', [sum('payment.amount')], hide('payment'), LIMIT],
    ['what it lies inside of', [sum('payment')], hide('payment.amount'), LIMIT],
    ['another spelling', [sum('amount')], hide('Amount'), LIMIT],
    ['every element', [sum('items[*].price')], hide('items[*]'), LIMIT],
    ['by a pattern of names', [sum('amount')], hide('amount', { tools: ['re*'] }), LIMIT],
    [
      'a distinct count',
      [rule({ limits: [{ per: '1d', distinct: 'to', max: '5' }] })],
      hide('to'),
      'spec.tools[0].limits[0].distinct',
    ],
    [
      'evidence, of this call',
      [rule({ evidence: [{ tool: 'crm/get', same: { iban: 'id' } }] })],
      hide('iban'),
      'spec.tools[0].evidence[0].same',
    ],
    [
      'evidence, of the earlier call',
      [rule({ evidence: [{ tool: 'crm/get_*', same: { id: 'iban' } }] })],
      hide('iban', { servers: ['crm'] }),
      'spec.tools[0].evidence[0].same.id',
    ],
    [
      'what names the object',
      [rule({ object: { read: 'crm/get', with: { id: 'iban' } } })],
      hide('iban'),
      'spec.tools[0].object.with.id',
    ],
    [
      'of another tool that the policy counts',
      [sum('amount', { scope: 'Policy' }), rule({ name: 'pay', match: { tools: ['pay'] } })],
      hide('amount', { tools: ['pay'] }),
      LIMIT,
    ],
    ['of any tool, for the agent', [sum('amount', { scope: 'Agent' })], hide('amount', { tools: ['x'] }), LIMIT],
  ])('%s', (_, tools, redaction, field) => expect(fields(tools, redaction)).toEqual([field]))

  test.each<[string, ToolRule[], Redaction]>([
    ['another argument', [sum('amount')], hide('iban')],
    ['a sibling', [sum('a.b')], hide('a.c')],
    ['another tool', [sum('amount')], hide('amount', { tools: ['send'] })],
    ['another server', [sum('amount')], hide('amount', { servers: ['mail'] })],
    [
      'another class',
      [{ ...sum('amount'), match: { ...match, classes: ['Write'] } }],
      hide('amount', { classes: ['Read'] }),
    ],
    ['results', [sum('amount')], { match, results: ['amount'] }],
    ['a call that is only counted', [rule({ limits: [{ per: '1d', calls: 5 }] })], hide('amount')],
    [
      'a rule of the policy that gives nothing',
      [sum('amount', { scope: 'Policy' }), rule({ name: 'no', match: { tools: ['pay'] }, effect: 'Deny' })],
      hide('amount', { tools: ['pay'] }),
    ],
  ])('not: %s', (_, tools, redaction) => expect(fields(tools, redaction)).toEqual([]))

  test("a redaction of the cluster's against the rules of every policy, each at its place", () => {
    const of = (policy: string, tool: ToolRule): RemitRule => ({ policy, mode: 'Enforce', type: 'tool', ...tool })
    const rules = [of('payments/a', rule({})), of('payments/a', sum('amount')), of('payments/b', sum('amount'))]
    expect(redactionConflicts(rules, [hide('amount', { tools: ['*'] })])).toMatchObject([
      { object: 'AgentPolicy payments/a', field: 'spec.tools[1].limits[0].sum', value: '"amount"' },
      { object: 'AgentPolicy payments/b', field: 'spec.tools[0].limits[0].sum', value: '"amount"' },
    ])
  })
})
