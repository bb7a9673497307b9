import { describe, expect, test } from 'vitest'
import type { Limit, PolicySpec, ToolRule } from '../../api/gen/types.ts'
import { agentUnder } from '../testing/agent.ts'

const MINUTE = 60_000
const refunds = (limits: Limit[], more: Partial<ToolRule> = {}): PolicySpec => ({
  tools: [
    { name: 'refunds', match: { servers: ['billing'], tools: ['refund', 'credit'] }, effect: 'Allow', limits, ...more },
    { name: 'reads', match: { tools: ['get_*'] }, effect: 'Allow' },
  ],
})

test('calls: the one after the last that is allowed is not given, until the first is long enough ago', () => {
  const agent = agentUnder(refunds([{ per: '1h', calls: 2 }]))
  expect(agent.call('refund').effect).toBe('Allow')
  expect(agent.wait(MINUTE).call('credit').effect).toBe('Allow')
  expect(agent.wait(58 * MINUTE + 59_999).call('refund')).toMatchObject({
    effect: 'Deny',
    code: 'LimitReached',
    rule: 'refunds',
    reason: '2 calls were made in 1h; refunds allows 2.',
  })
  expect(agent.call('get_invoice').effect).toBe('Allow')
  expect(agent.wait(1).call('refund').effect).toBe('Allow')
  expect(agent.call('refund').effect).toBe('Deny')
})

test('otherwise says what happens past the limit', () => {
  const agent = agentUnder(refunds([{ per: '1h', calls: 0 }], { otherwise: 'Ask' }))
  expect(agent.call('refund').reason).toBe('0 calls were made in 1h; refunds allows 0. This call is waiting for ana.')
  expect(agentUnder(refunds([{ per: '1h', calls: 0 }], { otherwise: 'Draft' })).call('refund').effect).toBe('Draft')
})

test('a call counts while it is under way, not when it failed, and when nobody knows what came of it', () => {
  for (const [outcome, effect] of [
    ['open', 'Deny'],
    ['ok', 'Deny'],
    ['error', 'Allow'],
    ['timeout', 'Deny'],
    ['unreachable', 'Deny'],
    ['invalid', 'Deny'],
    ['cancelled', 'Deny'],
    ['unknown', 'Deny'],
  ] as const) {
    const agent = agentUnder(refunds([{ per: '1h', calls: 1 }]))
    agent.call('refund', {}, { outcome })
    expect([outcome, agent.call('refund').effect]).toEqual([outcome, effect])
  }
})

test('a call whose server asks for input first gives its place back; one that goes on as a task keeps it', () => {
  const agent = agentUnder(refunds([{ per: '1h', calls: 1 }, { concurrent: 1 }]))
  expect(agent.call('refund', {}, { outcome: 'input' }).effect).toBe('Allow')
  expect(agent.call('refund', {}, { outcome: 'task' }).effect).toBe('Allow')
  expect(agent.call('refund').reason).toBe('1 call was made in 1h; refunds allows 1.')
})

test('limits count calls of tools, not what is read beside them', () => {
  const agent = agentUnder({
    ...refunds([
      { per: '1h', calls: 1, scope: 'Agent' },
      { concurrent: 1, scope: 'Agent' },
    ]),
    resources: [{ name: 'all', match: { uris: ['*'] }, effect: 'Allow' }],
  })
  const read = { type: 'resource', server: 'billing', name: 'file:///a', arguments: {} } as const
  for (let i = 0; i < 3; i++) expect(agent.other(read).effect).toBe('Allow')
  expect(agent.call('refund').effect).toBe('Allow')
})

test('what was denied, drafted or asked does not count', () => {
  const agent = agentUnder(refunds([{ per: '1h', calls: 1 }], { where: [{ arg: 'amount', max: '5' }] }))
  expect(agent.call('refund', { amount: 6 }).effect).toBe('Deny')
  expect(agent.call('refund', { amount: 5 }).effect).toBe('Allow')
})

describe('sum', () => {
  const limit = { per: '24h', sum: 'amount', max: '0.30' }
  test('adds decimals exactly, this call included', () => {
    const agent = agentUnder(refunds([limit]))
    expect(agent.call('refund', { amount: 0.1 }).effect).toBe('Allow')
    expect(agent.call('refund', { amount: '0.2' }).effect).toBe('Allow')
    expect(agent.call('refund', { amount: 0.01 })).toMatchObject({
      code: 'LimitReached',
      reason: 'amount would come to 0.31 in 24h; refunds allows 0.30.',
    })
    expect(agent.call('refund', { amount: 0 }).effect).toBe('Allow')
  })
  test.each([
    [{}, 'amount is missing, so refunds cannot be evaluated and the call is denied.'],
    [
      { amount: -1 },
      'amount is negative and cannot be added up, so refunds cannot be evaluated and the call is denied.',
    ],
    [{ amount: 'all' }, 'amount is not a plain decimal number, so refunds cannot be evaluated and the call is denied.'],
    [{ amount: [1] }, 'amount is not a single value, so refunds cannot be evaluated and the call is denied.'],
    [{ amount: null }, 'amount is not a single value, so refunds cannot be evaluated and the call is denied.'],
  ])('%j denies', (args, reason) => expect(agentUnder(refunds([limit])).call('refund', args).reason).toBe(reason))
  test('over a list adds every element', () => {
    const agent = agentUnder(refunds([{ per: '24h', sum: 'items[*].price', max: '10' }]))
    const items = (...prices: number[]) => ({ items: prices.map((price) => ({ price })) })
    expect(agent.call('refund', items(4, 5)).effect).toBe('Allow')
    expect(agent.call('refund', items(1, 1)).effect).toBe('Deny')
    expect(agent.call('refund', items(1)).effect).toBe('Allow')
  })
  test('an earlier call of which the amount is not known denies, until it is long enough ago', () => {
    const agent = agentUnder([
      refunds([limit], { match: { tools: ['refund'] } }),
      {
        tools: [
          { name: 'tests', match: { tools: ['refund'] }, effect: 'Allow', where: [{ arg: 'test', equals: true }] },
        ],
      },
    ])
    agent.tell({ kind: 'intent', id: 'x', at: agent.now(), server: 'billing', tool: 'refund', effect: 'Allow' })
    expect(agent.call('refund', { amount: 0.1, test: false }).code).toBe('ConstraintError')
    expect(agent.wait(24 * 60 * MINUTE).call('refund', { amount: 0.1, test: false }).effect).toBe('Allow')
  })
})

test('distinct counts different values, this call included', () => {
  const agent = agentUnder(refunds([{ per: '1h', distinct: 'to[*]', max: '2' }]))
  expect(agent.call('refund', { to: ['a', 'b'] }).effect).toBe('Allow')
  expect(agent.call('refund', { to: ['b', 'a'] }).effect).toBe('Allow')
  expect(agent.call('refund', { to: ['a', 'c'] }).reason).toBe(
    'to[*] would have 3 different values in 1h; refunds allows 2.',
  )
  expect(agent.call('refund', { to: [] }).code).toBe('ConstraintError')
})

test('concurrent counts what is under way', () => {
  const agent = agentUnder(refunds([{ concurrent: 2 }]))
  agent.call('refund', {}, { outcome: 'open' })
  agent.call('refund', {}, { outcome: 'open' })
  expect(agent.call('refund').reason).toBe('2 calls are under way; refunds allows 2 at a time.')
  agent.end('call-0', 'error')
  expect(agent.call('refund').effect).toBe('Allow')
})

test.each([
  ['Rule', 'credit', 'Deny'],
  ['Tool', 'credit', 'Allow'],
  ['Tool', 'refund', 'Deny'],
  ['Rule', 'get_invoice', 'Allow'],
] as const)('scope %s: after a refund and a read, %s is %s', (scope, tool, effect) => {
  const agent = agentUnder(refunds([{ per: '1h', calls: 1, scope }]))
  agent.call('refund')
  agent.call('get_invoice')
  expect(agent.call(tool).effect).toBe(effect)
})

test.each([
  ['Policy', 'Deny'],
  ['Agent', 'Deny'],
  ['Rule', 'Allow'],
] as const)('scope %s: after two reads a refund of at most two calls is %s', (scope, effect) => {
  const agent = agentUnder(refunds([{ per: '1h', calls: 2, scope }]))
  agent.call('get_invoice')
  agent.call('get_invoice')
  expect(agent.call('refund').effect).toBe(effect)
})

test('a side effect without limits has the defaults of its class', () => {
  const agent = agentUnder({
    tools: [{ name: 'mail', match: { tools: ['send'] }, class: 'SideEffect', effect: 'Allow' }],
  })
  for (let i = 0; i < 60; i++) expect(agent.call('send').effect).toBe('Allow')
  expect(agent.call('send').reason).toBe('60 calls were made in 1m; mail allows 60.')
  expect(agent.wait(MINUTE).call('send').effect).toBe('Allow')
})

test('facts say what was used of what', () => {
  const agent = agentUnder(
    refunds([
      { per: '1h', calls: 5 },
      { per: '24h', sum: 'amount', max: '10' },
    ]),
  )
  agent.call('refund', { amount: 4 })
  const { facts, record } = agent.assess('refund', { amount: 3 })
  expect(record).toEqual({ amount: [3] })
  expect(facts).toEqual([
    {
      rule: 'refunds',
      policy: 'payments/p0',
      what: 'limit',
      holds: true,
      detail: '1 call was made in 1h',
      used: '1',
      max: '5',
      per: '1h',
    },
    {
      rule: 'refunds',
      policy: 'payments/p0',
      what: 'limit',
      holds: true,
      detail: 'amount would come to 7 in 24h',
      used: '4',
      max: '10',
      per: '24h',
    },
  ])
})

test('as long as the past is not loaded, what needs it is denied and the rest is not', () => {
  const agent = agentUnder(refunds([{ per: '1h', calls: 5 }]))
  agent.history.loaded = false
  expect(agent.call('refund')).toMatchObject({ effect: 'Deny', code: 'HistoryNotLoaded', rule: 'refunds' })
  expect(agent.call('get_invoice').effect).toBe('Allow')
})
