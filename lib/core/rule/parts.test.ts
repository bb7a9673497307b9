import { describe, expect, test } from 'vitest'
import type { PolicySpec, ToolRule } from '../../api/gen/types.ts'
import { objectsNeeded } from '../decide.ts'
import type { Json } from '../strict.ts'
import { agentUnder } from '../testing/agent.ts'
import { ask } from '../testing/remit.ts'

const write = (more: Partial<ToolRule>): PolicySpec => ({
  tools: [{ name: 'edits', match: { tools: ['update'] }, class: 'Write', effect: 'Allow', ...more }],
})

describe('fields', () => {
  const spec = write({ fields: ['id', 'patch.status', 'items[*].note', 'meta'] })
  test.each([
    [{ id: 1 }, 'Allow'],
    [{}, 'Allow'],
    [{ id: 1, patch: { status: 'open' }, items: [{ note: 'a' }, {}], meta: { any: [1, { deep: true }] } }, 'Allow'],
    [{ id: 1, owner: 'eve' }, '"owner" is given; edits allows id, patch.status, items[*].note, meta only.'],
    [{ patch: { status: 'x', owner: 'eve' } }, '"patch.owner" is given;'],
    [{ patch: 'x' }, '"patch" is given;'],
    [{ patch: [{ status: 'x' }] }, '"patch[0]" is given;'],
    [{ items: [{ note: 'a' }, { price: 1 }] }, '"items[1].price" is given;'],
    [{ items: 'note' }, '"items" is given;'],
    [{ ID: 1 }, '"ID" is given;'],
    [{ __proto__: null, constructor: 1 }, '"constructor" is given;'],
  ] as [Json, string][])('%j: %s', (args, expected) => {
    const { effect, code, reason } = ask(spec, 'update', args)
    if (expected === 'Allow') return expect(effect).toBe('Allow')
    expect([effect, code]).toEqual(['Deny', 'FieldNotAllowed'])
    expect(reason).toContain(expected)
  })
})

describe('object', () => {
  const spec = write({
    object: {
      read: 'billing/get_ticket',
      with: { id: 'ticket_id' },
      where: [{ arg: 'owner', equals: 'billing-team' }],
    },
    otherwise: 'Ask',
  })
  const args = { ticket_id: 'T-1', status: 'closed' }
  const read = { tool: 'billing/get_ticket', arguments: { id: 'T-1' } }
  test.each([
    ['own', [{ ...read, value: { owner: 'billing-team' } }], 'Allow', 'edits allows billing/update.'],
    ['without saying of what', [{ tool: read.tool, value: { owner: 'billing-team' } }], 'Allow', ''],
    [
      'another team’s',
      [{ ...read, value: { owner: 'sales' } }],
      'Ask',
      'of billing/get_ticket, owner is "sales"; edits allows "billing-team". This call is waiting for ana.',
    ],
    ['without owner', [{ ...read, value: {} }], 'Deny', 'of billing/get_ticket, owner is missing, so'],
    [
      'another object',
      [{ ...read, arguments: { id: 'T-2' }, value: { owner: 'billing-team' } }],
      'Deny',
      'was not read',
    ],
    [
      'unreadable',
      [{ ...read, problem: 'it answered an error' }],
      'Deny',
      'billing/get_ticket: it answered an error, so',
    ],
    ['none', undefined, 'Deny', 'billing/get_ticket: the object was not read, so edits cannot be evaluated'],
  ])('%s', (_, objects, effect, reason) => {
    const decision = agentUnder(spec).call('update', args, { objects })
    expect(decision.effect).toBe(effect)
    expect(decision.reason).toContain(reason)
  })

  test('what the read redacts is not shown', () => {
    const redacted: PolicySpec = { ...spec, redact: [{ match: { tools: ['get_ticket'] }, results: ['owner'] }] }
    const { effect, reason } = agentUnder(redacted).call('update', args, {
      objects: [{ ...read, value: { owner: 'sales' } }],
    })
    expect(effect).toBe('Ask')
    expect(reason).toContain('owner is withheld')
    expect(reason).not.toContain('sales')
  })

  test('what has to be read is said, and nothing for a call that is denied whatever it is', () => {
    const { prepared, history, now } = agentUnder([
      spec,
      { invariants: [{ name: 'n', match: { tools: ['update'] }, unless: [{ arg: 'status', equals: 'closed' }] }] },
    ])
    const needs = (given: object) =>
      objectsNeeded(prepared, { server: 'billing', tool: 'update', arguments: given as never }, history, now())
    expect(needs(args)).toEqual([read])
    expect(needs({ ...args, status: 'open' })).toEqual([])
    expect(needs({ status: 'closed' })).toEqual([])
    expect(needs({ ...args, ticket_id: ['T-1'] })).toEqual([])
  })
})

describe('classes', () => {
  const spec: PolicySpec = {
    tools: [
      { name: 'reads', match: { tools: ['get_*'] }, class: 'Read' },
      { name: 'drafts', match: { tools: ['draft_*'] }, class: 'Draft' },
      { name: 'writes', match: { tools: ['update'] }, class: 'Write' },
      {
        name: 'allowed-fields',
        match: { tools: ['note'] },
        class: 'Write',
        fields: ['text'],
        object: { read: 'billing/get_note' },
      },
      { name: 'mails', match: { tools: ['send'] }, class: 'SideEffect', limits: [{ per: '1h', calls: 5 }] },
      { name: 'calls-home', match: { tools: ['call'] }, class: 'SideEffect' },
    ],
  }
  test.each([
    ['get_x', 'Allow'],
    ['draft_x', 'Draft'],
    ['update', 'Ask'],
    ['note', 'Allow'],
    ['send', 'Allow'],
    ['call', 'Ask'],
    ['other', 'Deny'],
  ])('the default effect of %s is %s', (tool, effect) => {
    const objects = [{ tool: 'billing/get_note', value: {} }]
    expect(agentUnder(spec).call(tool, {}, { objects }).effect).toBe(effect)
  })

  test('a draft says what would be done, and that nothing was', () => {
    expect(ask(spec, 'draft_x')).toMatchObject({
      code: 'DraftOnly',
      rule: 'drafts',
      reason: 'drafts drafts billing/draft_x. This is a draft: nothing was done.',
    })
  })

  test.each([
    [{ annotations: { destructiveHint: true } }, 'Ask'],
    [{ annotations: { openWorldHint: true } }, 'Ask'],
    [{ annotations: { readOnlyHint: false } }, 'Ask'],
    [{ annotations: { readOnlyHint: true, openWorldHint: true } }, 'Allow'],
    [{ annotations: { readOnlyHint: true } }, 'Allow'],
    [{ annotations: 'x' }, 'Allow'],
    [{}, 'Allow'],
  ])('what its server says of a read: %j gives %s', (definition, effect) => {
    expect(agentUnder(spec).call('get_x', {}, { definition }).effect).toBe(effect)
  })

  test('annotations never loosen: a tool nobody classified stays without class, one that is a side effect one', () => {
    const harmless = { annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: false } }
    const guarded = [spec, { guards: [{ name: 'g', match: { classes: ['SideEffect' as const] } }] }]
    expect(agentUnder(guarded).call('send', {}, { definition: harmless }).effect).toBe('Ask')
    const readOnly = [
      { readOnly: true, tools: [{ name: 'all', match: { tools: ['*'] }, effect: 'Allow' as const }] },
      spec,
    ]
    expect(agentUnder(readOnly).call('other', {}, { definition: harmless })).toMatchObject({
      code: 'DeniedByInvariant',
      rule: 'read-only',
    })
    expect(agentUnder(readOnly).call('get_x', {}, { definition: harmless }).effect).toBe('Allow')
    expect(agentUnder(readOnly).call('update', {}, { definition: harmless }).rule).toBe('read-only')
  })

  test.each([
    [{ effect: 'Allow', where: [{ arg: 'a', equals: 1 }], otherwise: 'Deny' }, { a: 2 }, 'Deny'],
    [{ effect: 'Allow', where: [{ arg: 'a', equals: 1 }] }, {}, 'Deny'],
    [{ effect: 'Ask' }, {}, 'Ask'],
    [{ effect: 'Draft' }, {}, 'Ask'],
  ] as const)(
    'what a rule by class holds back, it holds back though the server admits to more: %j',
    (rule, args, effect) => {
      const known: PolicySpec = { tools: [{ name: 'k', match: { tools: ['x'] }, class: 'Read', effect: 'Allow' }] }
      const byClass = { tools: [{ name: 'by', match: { classes: ['Read'] }, ...rule }] } as unknown as PolicySpec
      const definition = { annotations: { destructiveHint: true } }
      expect(agentUnder([known, byClass]).call('x', args, { definition }).effect).toBe(effect)
      expect(agentUnder([known, byClass]).call('x', args).effect).toBe(rule.effect === 'Draft' ? 'Draft' : effect)
    },
  )

  test('a class in match gives only to tools that are known to have it, and restricts what is not known', () => {
    const byClass: PolicySpec = { tools: [{ name: 'any-read', match: { classes: ['Read'] }, effect: 'Allow' }] }
    expect(ask([byClass], 'other').effect).toBe('Deny')
    const classed: PolicySpec = { tools: [{ name: 'k', match: { tools: ['other'] }, class: 'Read', effect: 'Ask' }] }
    expect(
      agentUnder([byClass, classed])
        .assess('other', {})
        .findings.map(({ rule, says }) => [rule, says]),
    ).toEqual([
      ['k', 'Ask'],
      ['any-read', 'Allow'],
    ])
  })
})
