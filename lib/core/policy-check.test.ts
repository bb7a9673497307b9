import { describe, expect, test } from 'vitest'
import type { Constraint, PolicySpec, ToolRule } from '../api/gen/types.ts'
import { definitionDigest } from './pin.ts'
import { checkPolicy } from './policy-check.ts'

const REFUND = { name: 'refund', inputSchema: { type: 'object', properties: { amount: { type: 'number' } } } }

const first = (spec: object, scope?: 'Cluster') => checkPolicy(spec as PolicySpec, scope)[0]
const rule = (change: object): PolicySpec => ({
  tools: [{ name: 'r', match: { tools: ['refund'] }, effect: 'Allow', ...change } as ToolRule],
})
const where = (constraint: object): PolicySpec => rule({ where: [constraint as Constraint] })

test('a policy with everything this version enforces has no problem', () => {
  const spec: PolicySpec = {
    mode: 'Observe',
    tools: [
      {
        name: 'r',
        match: { servers: ['billing', 'b-*'], tools: ['refund', 'a/b.c-*'] },
        class: 'SideEffect',
        effect: 'Allow',
        where: [
          { arg: 'a', equals: 'x' },
          { arg: 'b[*].c', in: [1, 'a', true] },
          { arg: 'd', prefix: 'https://corp.example/' },
          { arg: 'e', suffix: 'y', optional: true },
          { arg: 'f', min: '-1', max: '5.00' },
          { arg: 'g', required: true },
          { arg: 'h', not: { in: ['x'] } },
        ],
        fields: ['a', 'b[*].c', 'd'],
        object: { read: 'billing/get_invoice', with: { id: 'a' }, where: [{ arg: 'owner', equals: 'me' }] },
        otherwise: 'Draft',
        limits: [
          { per: '24h', calls: 20 },
          { per: '1h30m', sum: 'f', max: '500.00', scope: 'Policy' },
          { per: '7d', distinct: 'b[*].c', max: '3', scope: 'Tool' },
          { concurrent: 1 },
        ],
        evidence: [{ tool: 'billing/get_*', within: '10m', same: { a: 'id' } }],
      },
      { name: 'default', match: { classes: ['Read'] }, class: 'Read' },
    ],
    guards: [{ name: 'r', match: { tools: ['*'] } }],
    invariants: [{ name: 'r', match: { servers: ['*'] }, unless: [{ arg: 'a', max: '5' }] }],
    taint: [{ name: 'web', after: { servers: ['web'] }, for: '2h', match: { classes: ['SideEffect'] } }],
    pins: [{ server: 'billing', tool: 'refund', digest: definitionDigest(REFUND), definition: REFUND }],
    redact: [{ match: { tools: ['refund'] }, arguments: ['iban', 'to[*].phone'], results: ['customer.iban'] }],
    breaker: { errors: 5, denials: 10, calls: 100, per: '1m' },
    readOnly: false,
    egress: {
      cidrs: [{ cidr: '203.0.113.0/24', ports: [443] }, { cidr: '2001:db8::/32' }],
      hosts: ['api.model.example:443'],
    },
  }
  expect(checkPolicy(spec)).toEqual([])
})

const PIN = { server: 'billing', tool: 'refund', digest: definitionDigest(REFUND) }

describe('what this version does not enforce is refused, not ignored', () => {
  test.each<[string, object]>([
    ['spec.tools[0].pins', rule({ pins: [] })],
    ['spec.guards[0].where', { guards: [{ name: 'g', match: { tools: ['*'] }, where: [] }] }],
    ['spec.breaker.latency', { breaker: { errors: 1, latency: '1s' } }],
    ['spec.redact[0].headers', { redact: [{ match: { tools: ['*'] }, arguments: ['a'], headers: [] }] }],
    ['spec.pins[0].version', { pins: [{ server: 'b', tool: 't', digest: `sha256:${'0'.repeat(64)}`, version: 1 }] }],
    ['spec.taint[0].until', { taint: [{ name: 't', after: { tools: ['a'] }, match: { tools: ['b'] }, until: 'x' }] }],
    ['spec.tools[0].limits[0].burst', rule({ limits: [{ per: '1s', calls: 1, burst: 5 }] })],
    ['spec.tools[0].evidence[0].by', rule({ evidence: [{ tool: 'a/b', by: 'x' }] })],
    ['spec.tools[0].object.cache', rule({ object: { read: 'a/b', cache: true } })],
    ['spec.quotas', { quotas: [] }],
  ])('%s', (field, spec) => {
    expect(first(spec)).toMatchObject({ field, code: 'PolicyUnsupported' })
  })
})

describe('mistakes are named with field, value and fix', () => {
  test.each<[object, { field: string; value?: string; detail: string }]>([
    [{ mode: 'enforce' }, { field: 'spec.mode', value: '"enforce"', detail: 'is not a mode' }],
    [
      rule({ match: {} }),
      { field: 'spec.tools[0].match', value: '{}', detail: 'names neither servers nor tools nor classes' },
    ],
    [rule({ match: { tools: [] } }), { field: 'spec.tools[0].match.tools', value: '[]', detail: 'lists nothing' }],
    [
      rule({ match: { tools: ['get_?'] } }),
      {
        field: 'spec.tools[0].match.tools[0]',
        value: '"get_?"',
        detail: 'has a character that names cannot have; only * is a wildcard',
      },
    ],
    [
      rule({ match: { tools: ['(a+)+'] } }),
      { field: 'spec.tools[0].match.tools[0]', detail: 'has a character that names cannot have; only * is a wildcard' },
    ],
    [rule({ match: { servers: [''] } }), { field: 'spec.tools[0].match.servers[0]', value: '""', detail: 'is empty' }],
    [rule({ effect: 'allow' }), { field: 'spec.tools[0].effect', value: '"allow"', detail: 'is not an effect' }],
    [rule({ name: '' }), { field: 'spec.tools[0].name', detail: 'is missing' }],
    [rule({ where: [] }), { field: 'spec.tools[0].where', value: '[]', detail: 'is an empty list' }],
    [
      rule({ otherwise: 'Ask' }),
      { field: 'spec.tools[0].otherwise', detail: 'is never reached: nothing of the rule can fail' },
    ],
    [
      rule({ where: [{ arg: 'a', equals: 1 }], otherwise: 'Allow' }),
      { field: 'spec.tools[0].otherwise', detail: 'is not an effect a rule can fall back to' },
    ],
    [
      rule({ effect: 'Deny', where: [{ arg: 'a', equals: 1 }], otherwise: 'Ask' }),
      { field: 'spec.tools[0].otherwise', detail: 'belongs to a rule that gives' },
    ],
    [where({ arg: 'a' }), { field: 'spec.tools[0].where[0]', value: '{}', detail: 'has no operator' }],
    [where({ equals: 1 }), { field: 'spec.tools[0].where[0]', value: '{"equals":1}', detail: 'names no argument' }],
    [
      where({ arg: 'a', equals: 1, not: { max: '5' } }),
      { field: 'spec.tools[0].where[0]', detail: 'has an operator beside not' },
    ],
    [
      where({ arg: 'a', not: { not: { max: '5' } } }),
      { field: 'spec.tools[0].where[0].not.not', detail: 'is not an operator' },
    ],
    [where({ arg: 'a', lessThan: 5 }), { field: 'spec.tools[0].where[0].lessThan', detail: 'is not an operator' }],
    [
      where({ arg: 'a[0]', equals: 1 }),
      { field: 'spec.tools[0].where[0].arg', value: '"a[0]"', detail: 'is not a path into the arguments' },
    ],
    [
      where({ arg: '__proto__.x', equals: 1 }),
      { field: 'spec.tools[0].where[0].arg', detail: 'is not a path into the arguments' },
    ],
    [
      where({ arg: 'a', max: '5,00' }),
      { field: 'spec.tools[0].where[0].max', value: '"5,00"', detail: 'is not a plain decimal in quotes' },
    ],
    [
      where({ arg: 'a', max: 5 }),
      { field: 'spec.tools[0].where[0].max', value: '5', detail: 'is not a plain decimal in quotes' },
    ],
    [
      where({ arg: 'a', min: '9', max: '5' }),
      { field: 'spec.tools[0].where[0].min', value: '"9"', detail: 'is above the max of 5 for a, so no call can pass' },
    ],
    [
      rule({
        where: [
          { arg: 'a', max: '5' },
          { arg: 'a', min: '10' },
        ],
      }),
      { field: 'spec.tools[0].where[1].min', detail: 'is above the max of 5 for a, so no call can pass' },
    ],
    [where({ arg: 'a', in: [] }), { field: 'spec.tools[0].where[0].in', detail: 'lists no values' }],
    [
      where({ arg: 'a', in: [['EUR']] }),
      { field: 'spec.tools[0].where[0].in[0]', detail: 'is not a single value that can be compared exactly' },
    ],
    [
      where({ arg: 'a', equals: 2 ** 53 }),
      { field: 'spec.tools[0].where[0].equals', detail: 'is not a single value that can be compared exactly' },
    ],
    [
      where({ arg: 'a', equals: null }),
      {
        field: 'spec.tools[0].where[0].equals',
        value: 'null',
        detail: 'is not a single value that can be compared exactly',
      },
    ],
    [
      where({ arg: 'a', prefix: '' }),
      { field: 'spec.tools[0].where[0].prefix', detail: 'is not a text of at least one character' },
    ],
    [
      where({ arg: 'a', prefix: 'https://corp.example' }),
      {
        field: 'spec.tools[0].where[0].prefix',
        value: '"https://corp.example"',
        detail: 'ends within a host name, so another host begins with it too',
      },
    ],
    [where({ arg: 'a', required: false }), { field: 'spec.tools[0].where[0].required', detail: 'can only be true' }],
    [
      where({ arg: 'a', required: true, optional: true }),
      { field: 'spec.tools[0].where[0]', detail: 'is both required and optional' },
    ],
    [
      where({ arg: 'a', equals: 1, optional: 'yes' }),
      { field: 'spec.tools[0].where[0].optional', detail: 'is not true or false' },
    ],
    [
      { invariants: [{ name: 'i', match: { tools: ['*'] }, unless: [] }] },
      { field: 'spec.invariants[0].unless', detail: 'is an empty list' },
    ],
    ...(
      [
        [rule({ effect: undefined }), 'spec.tools[0].effect', 'is missing'],
        [rule({ class: 'Harmless' }), 'spec.tools[0].class', 'is not a class'],
        [rule({ match: { classes: ['Wirte'] } }), 'spec.tools[0].match.classes[0]', 'is not a class'],
        [rule({ match: { classes: [] } }), 'spec.tools[0].match.classes', 'lists nothing'],
        [rule({ match: 'refund' }), 'spec.tools[0].match', 'is not an object'],
        [rule({ fields: [] }), 'spec.tools[0].fields', 'is an empty list'],
        [rule({ fields: ['a..b'] }), 'spec.tools[0].fields[0]', 'is not a path into the arguments'],
        [rule({ effect: 'Deny', fields: ['a'] }), 'spec.tools[0].fields', 'belongs to a rule that gives'],
        [
          rule({ effect: 'Deny', limits: [{ per: '1m', calls: 1 }] }),
          'spec.tools[0].limits',
          'belongs to a rule that gives',
        ],
        [rule({ object: { read: 'get_ticket' } }), 'spec.tools[0].object.read', 'is not a server and a tool'],
        [rule({ object: { read: 'tickets/get_*' } }), 'spec.tools[0].object.read', 'is not a server and a tool'],
        [
          rule({ object: { read: 'a/b', with: { id: 'ids[*]' } } }),
          'spec.tools[0].object.with.id',
          'leads to several values',
        ],
        [rule({ object: { read: 'a/b', where: [] } }), 'spec.tools[0].object.where', 'is an empty list'],
        [rule({ limits: [] }), 'spec.tools[0].limits', 'is an empty list'],
        [rule({ limits: [{ per: '1m' }] }), 'spec.tools[0].limits[0]', 'limits nothing'],
        [
          rule({ limits: [{ per: '1m', calls: 1, concurrent: 1 }] }),
          'spec.tools[0].limits[0]',
          'limits several things (calls, concurrent)',
        ],
        [rule({ limits: [{ calls: 1 }] }), 'spec.tools[0].limits[0].per', 'is missing'],
        [
          rule({ limits: [{ per: '1m', concurrent: 1 }] }),
          'spec.tools[0].limits[0].per',
          'has no meaning beside concurrent',
        ],
        [rule({ limits: [{ per: '0s', calls: 1 }] }), 'spec.tools[0].limits[0].per', 'is not a stretch of time'],
        [rule({ limits: [{ per: '32d', calls: 1 }] }), 'spec.tools[0].limits[0].per', 'is not a stretch of time'],
        [rule({ limits: [{ per: '1m', calls: 1.5 }] }), 'spec.tools[0].limits[0].calls', 'is not a count'],
        [rule({ limits: [{ concurrent: 0 }] }), 'spec.tools[0].limits[0].concurrent', 'is not a count'],
        [rule({ limits: [{ per: '1m', sum: 'a' }] }), 'spec.tools[0].limits[0].max', 'is missing'],
        [
          rule({ limits: [{ per: '1m', calls: 1, max: '5' }] }),
          'spec.tools[0].limits[0].max',
          'belongs to sum and distinct',
        ],
        [
          rule({ limits: [{ per: '1m', sum: 'a', max: 5 }] }),
          'spec.tools[0].limits[0].max',
          'is not a plain decimal in quotes',
        ],
        [
          rule({ limits: [{ per: '1m', sum: 'a', max: '-1' }] }),
          'spec.tools[0].limits[0].max',
          'is below zero, so no call can pass',
        ],
        [
          rule({ limits: [{ per: '1m', distinct: 'a', max: '2.5' }] }),
          'spec.tools[0].limits[0].max',
          'is not a whole number',
        ],
        [
          rule({ limits: [{ per: '1m', sum: 'a b', max: '1' }] }),
          'spec.tools[0].limits[0].sum',
          'is not a path into the arguments',
        ],
        [
          rule({ limits: [{ per: '1m', calls: 1, scope: 'Cluster' }] }),
          'spec.tools[0].limits[0].scope',
          'is not a scope',
        ],
        [rule({ evidence: [{ tool: 'b*/get' }] }), 'spec.tools[0].evidence[0].tool', 'is not a server and a tool'],
        [
          rule({ evidence: [{ tool: 'b/get', within: '1w' }] }),
          'spec.tools[0].evidence[0].within',
          'is not a stretch of time',
        ],
        [
          rule({ evidence: [{ tool: 'b/get', same: { 'a b': 'c' } }] }),
          'spec.tools[0].evidence[0].same',
          'is not a path into the arguments',
        ],
        [
          rule({ evidence: [{ tool: 'b/get', same: { a: 5 } }] }),
          'spec.tools[0].evidence[0].same.a',
          'is not a path into the arguments',
        ],
        [
          { taint: [{ name: 't', match: { tools: ['a'] } }] },
          'spec.taint[0].after',
          'names neither servers nor tools nor classes',
        ],
        [
          { taint: [{ name: 't', after: { tools: ['a'] }, match: { tools: ['a'] }, for: '1y' }] },
          'spec.taint[0].for',
          'is not a stretch of time',
        ],
        [{ pins: [{ ...PIN, server: 'Billing' }] }, 'spec.pins[0].server', 'is not the name of a server'],
        [{ pins: [{ ...PIN, tool: 're*' }] }, 'spec.pins[0].tool', 'is not the name of a tool'],
        [{ pins: [{ ...PIN, digest: 'sha256:00' }] }, 'spec.pins[0].digest', 'is not "sha256:" and 64 hex digits'],
        [
          { pins: [{ ...PIN, definition: { ...REFUND, title: 'x' } }] },
          'spec.pins[0].digest',
          'is not the digest of definition',
        ],
        [
          { pins: [{ ...PIN, definition: { ...REFUND, name: 'pay' } }] },
          'spec.pins[0].definition.name',
          'is not the pinned tool refund',
        ],
        [
          { pins: [{ ...PIN, definition: { name: 'refund', inputSchema: 5 } }] },
          'spec.pins[0].definition.inputSchema',
          'is not a schema',
        ],
        [{ pins: [PIN, PIN] }, 'spec.pins[1].tool', 'is pinned twice'],
        [{ redact: [{ match: { tools: ['a'] } }] }, 'spec.redact[0]', 'names nothing'],
        [
          { redact: [{ match: {}, results: ['a'] }] },
          'spec.redact[0].match',
          'names neither servers nor tools nor classes',
        ],
        [
          { redact: [{ match: { tools: ['a'] }, results: ['a b'] }] },
          'spec.redact[0].results[0]',
          'is not a path into the arguments',
        ],
        [{ breaker: {} }, 'spec.breaker', 'never opens'],
        [{ breaker: { errors: 0 } }, 'spec.breaker.errors', 'is not a count'],
        [{ breaker: { calls: 5 } }, 'spec.breaker.per', 'is missing: calls and per belong together'],
        [{ breaker: { errors: 5, per: '1m' } }, 'spec.breaker.calls', 'is missing: calls and per belong together'],
        [{ readOnly: 'yes' }, 'spec.readOnly', 'is not true or false'],
        [{ tools: {} }, 'spec.tools', 'is not a list'],
        [{ egress: { hosts: ['https://a.example'] } }, 'spec.egress.hosts[0]', 'is not a host and a port'],
      ] as [object, string, string][]
    ).map(([spec, field, detail]): [object, { field: string; detail: string }] => [spec, { field, detail }]),
    [
      { egress: { cidrs: [{ cidr: '10.0.0.0/33' }] } },
      { field: 'spec.egress.cidrs[0].cidr', value: '"10.0.0.0/33"', detail: 'is not a network' },
    ],
    [{ egress: { cidrs: [{ cidr: '10.0.0.1' }] } }, { field: 'spec.egress.cidrs[0].cidr', detail: 'is not a network' }],
    [
      { egress: { cidrs: [{ cidr: '10.0.0.0/8', ports: [0] }] } },
      { field: 'spec.egress.cidrs[0].ports[0]', detail: 'is not a port' },
    ],
  ])('%j', (spec, problem) => {
    const found = first(spec)
    expect(found).toMatchObject({ ...problem, code: 'PolicyInvalid' })
    expect(found?.fix).toMatch(/\.$/)
  })
  test('the same name twice in a list', () => {
    const [one] = rule({}).tools as [ToolRule]
    expect(first({ tools: [one, one] })).toMatchObject({
      field: 'spec.tools[1].name',
      detail: 'is used twice in this list',
    })
  })
  test('all problems are found at once', () => {
    const spec = rule({ effect: 'allow', match: { tools: ['a b'] }, where: [{ arg: 'a', pattern: '(x' }] })
    expect(checkPolicy(spec).map(({ field }) => field)).toEqual([
      'spec.tools[0].match.tools[0]',
      'spec.tools[0].effect',
      'spec.tools[0].where[0].pattern',
    ])
  })
})

test('a ClusterAgentPolicy only restricts', () => {
  for (const effect of ['Allow', 'Draft', 'Ask', undefined]) {
    expect(first(rule({ effect, class: 'Read' }), 'Cluster')).toMatchObject({
      field: 'spec.tools[0].effect',
      code: 'PolicyInvalid',
    })
  }
  expect(first({ egress: { cidrs: [{ cidr: '10.0.0.0/8' }] } }, 'Cluster')).toMatchObject({ field: 'spec.egress' })
  const match = { tools: ['refund'] }
  const restricts = {
    ...rule({ effect: 'Deny' }),
    readOnly: true,
    guards: [{ name: 'g', match }],
    invariants: [{ name: 'i', match }],
    taint: [{ name: 't', after: match, match }],
    pins: [PIN],
    redact: [{ match, arguments: ['iban'] }],
    breaker: { errors: 5 },
  }
  expect(first(restricts, 'Cluster')).toBeUndefined()
})

test('readOnly has a rule name of its own', () => {
  const spec = { readOnly: true, invariants: [{ name: 'read-only', match: { tools: ['x'] } }] }
  expect(first(spec)).toMatchObject({ field: 'spec.invariants[0].name', code: 'PolicyInvalid' })
  expect(first({ ...spec, readOnly: false })).toBeUndefined()
})

test('what is allowed as a side effect has limits that can be reached', () => {
  expect(first(rule({ class: 'SideEffect', otherwise: 'Ask' }))).toBeUndefined()
  expect(first(rule({ class: 'Write', otherwise: 'Ask' }))).toMatchObject({ field: 'spec.tools[0].otherwise' })
})
