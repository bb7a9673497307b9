import { describe, expect, it } from 'vitest'
import { applyDefaults, type RemitKind, validate } from './validate.ts'

const policy = (spec: object, more: object = {}) => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'AgentPolicy',
  metadata: { name: 'billing' },
  spec,
  ...more,
})
const rule = (fields: object) =>
  policy({ tools: [{ name: 'r', match: { tools: ['refund'] }, effect: 'Allow', ...fields }] })

describe('validate', () => {
  it('accepts what a team writes', () => {
    const where = [
      { arg: 'amount', min: '0.01', max: '50.00' },
      { arg: 'force', equals: false },
      { arg: 'n', in: [1, 2.5, 'x'] },
      { arg: 'memo', not: { prefix: 'http' }, optional: true },
    ]
    expect(validate('AgentPolicy', rule({ where, otherwise: 'Ask' }))).toEqual([])
    expect(validate('AgentPolicy', rule({ limits: [{ per: '24h', calls: 20 }] }))).toEqual([])
  })

  const table: [string, object, { field: string; value?: string; detail: string }][] = [
    [
      'an unknown field',
      rule({ wehre: [] }),
      {
        field: 'spec.tools[0].wehre',
        value: '[]',
        detail:
          'is not a field here; there are name, match, class, effect, where, fields, object, otherwise, limits, evidence',
      },
    ],
    [
      'an unknown field at the top',
      policy({}, { spce: 1 }),
      { field: 'spce', value: '1', detail: 'is not a field here; there are apiVersion, kind, metadata, spec, status' },
    ],
    [
      'a number where a text is due',
      rule({ where: [{ arg: 'amount', max: 50 }] }),
      { field: 'spec.tools[0].where[0].max', value: '50', detail: 'must be a text; put it in quotes' },
    ],
    [
      'an object where a scalar is due',
      rule({ where: [{ arg: 'a', equals: { b: 1 } }] }),
      {
        field: 'spec.tools[0].where[0].equals',
        value: '{"b":1}',
        detail: 'must be a text or a number or true or false',
      },
    ],
    [
      'null',
      rule({ where: [{ arg: 'a', equals: null }] }),
      { field: 'spec.tools[0].where[0].equals', value: 'null', detail: 'must be a text or a number or true or false' },
    ],
    [
      'a text that is no number',
      rule({ where: [{ arg: 'a', max: '5,00' }] }),
      {
        field: 'spec.tools[0].where[0].max',
        value: '"5,00"',
        detail: 'write a plain decimal number in quotes, such as "50.00"',
      },
    ],
    [
      'a value out of the set',
      rule({ effect: 'Permit' }),
      { field: 'spec.tools[0].effect', value: '"Permit"', detail: 'is not one of Allow, Draft, Ask, Deny' },
    ],
    ['a missing field', policy({ guards: [{ name: 'g' }] }), { field: 'spec.guards[0].match', detail: 'is missing' }],
    [
      'a missing spec',
      { apiVersion: 'remit.dev/v1alpha1', kind: 'AgentPolicy', metadata: { name: 'x' } },
      { field: 'spec', detail: 'is missing' },
    ],
    [
      'another kind',
      policy({}, { kind: 'OwnerGroup' }),
      { field: 'kind', value: '"OwnerGroup"', detail: 'is not one of AgentPolicy' },
    ],
    [
      'another version',
      policy({}, { apiVersion: 'remit.dev/v2' }),
      { field: 'apiVersion', value: '"remit.dev/v2"', detail: 'is not one of remit.dev/v1alpha1' },
    ],
    ['no name', policy({}, { metadata: {} }), { field: 'metadata.name', detail: 'is missing' }],
    [
      'an empty list',
      rule({ where: [] }),
      { field: 'spec.tools[0].where', value: '[]', detail: 'needs at least 1 of them' },
    ],
    [
      'a list with the same twice',
      rule({ match: { tools: ['a', 'b', 'a'] } }),
      { field: 'spec.tools[0].match.tools', value: '["a","b","a"]', detail: 'lists the same twice, at 0 and 2' },
    ],
    [
      'a port out of range',
      policy({ egress: { cidrs: [{ cidr: '10.0.0.0/8', ports: [0] }] } }),
      { field: 'spec.egress.cidrs[0].ports[0]', value: '0', detail: 'must be at least 1' },
    ],
    [
      'a name that is too long',
      rule({ name: 'x'.repeat(64) }),
      { field: 'spec.tools[0].name', value: `"${'x'.repeat(64)}"`, detail: 'may have at most 63 characters' },
    ],
  ]
  it.each(table)('says the field, the value and what to write: %s', (_, object, finding) => {
    expect(validate('AgentPolicy', object)).toEqual([{ value: undefined, ...finding }])
  })

  it('finds a rule name that is used twice in one list, and not one used in two lists', () => {
    const one = { name: 'a', match: { tools: ['x'] } }
    expect(validate('AgentPolicy', policy({ guards: [one], invariants: [one] }))).toEqual([])
    expect(validate('AgentPolicy', policy({ guards: [one, { ...one }] }))).toEqual([
      { field: 'spec.guards[1].name', value: '"a"', detail: 'is used twice in this list' },
    ])
  })

  it('finds everything at once, deep inside too', () => {
    const object = rule({ effect: 'Permit', where: [{ arg: 'a', not: { max: 1 } }] })
    expect(validate('AgentPolicy', object).map(({ field }) => field)).toEqual(
      expect.arrayContaining(['spec.tools[0].effect', 'spec.tools[0].where[0].not.max']),
    )
  })

  it('does not let a negation hold another', () => {
    const object = rule({ where: [{ arg: 'a', not: { not: { max: '1' } } }] })
    expect(validate('AgentPolicy', object).map(({ field }) => field)).toEqual(['spec.tools[0].where[0].not.not'])
  })

  it('takes a "__proto__" that a parser made a field for what it is', () => {
    const object = rule(JSON.parse('{"__proto__": 1}'))
    expect(validate('AgentPolicy', { ...object, spec: JSON.parse('{"__proto__": {"mode": "Observe"}}') })).toEqual([
      expect.objectContaining({ field: 'spec.__proto__' }),
    ])
  })

  it.each(['text', 3, null, [], undefined])('refuses %j as an object', (value) => {
    expect(validate('AgentPolicy', value)).toEqual([
      expect.objectContaining({ field: '', detail: 'must be an object' }),
    ])
  })

  it('cuts a long value', () => {
    const [finding] = validate('AgentPolicy', rule({ name: 'x'.repeat(5000) }))
    expect(finding?.value).toHaveLength(80)
  })

  it('keeps all of a remit open, and its generation a number', () => {
    const remit = (generation: unknown) => ({
      apiVersion: 'remit.dev/v1alpha1',
      kind: 'AgentRemit',
      metadata: { name: 'billing-bot' },
      spec: { remit: { generation, rules: [{ any: 1 }] }, signature: 'a..b' },
    })
    expect(validate('AgentRemit', remit(1))).toEqual([])
    expect(validate('AgentRemit', remit('1'))).toEqual([
      { field: 'spec.remit.generation', value: '"1"', detail: 'must be a whole number' },
    ])
  })
})

describe('applyDefaults', () => {
  it.each<[RemitKind, object, object]>([
    ['AgentPolicy', { spec: {} }, { spec: { mode: 'Enforce' } }],
    ['AgentPolicy', { spec: { mode: 'Observe' } }, { spec: { mode: 'Observe' } }],
    ['AgentPolicy', {}, {}],
    [
      'AgentIdentity',
      {
        spec: {
          servers: [
            { name: 'a', service: { name: 's', port: 1 } },
            { name: 'b', url: 'http://192.0.2.1/' },
          ],
        },
      },
      {
        spec: {
          servers: [
            { name: 'a', service: { name: 's', port: 1, scheme: 'http' }, transport: 'StreamableHTTP' },
            { name: 'b', url: 'http://192.0.2.1/', transport: 'StreamableHTTP' },
          ],
        },
      },
    ],
    [
      'OwnerGroup',
      { spec: { onCall: { rotation: { every: { unit: 'Week' } } } } },
      { spec: { onCall: { rotation: { every: { unit: 'Week', count: 1 } } } } },
    ],
  ])('%s: %j', (kind, object, expected) => {
    const before = structuredClone(object)
    expect(applyDefaults(kind, object)).toEqual(expected)
    expect(object).toEqual(before)
  })
})
