import { describe, expect, test } from 'vitest'
import type { PolicySpec, ToolDefinition, ToolRule } from '../../api/gen/types.ts'
import { definitionDigest } from '../pin.ts'
import { cpuMs } from '../testing/cpu.ts'
import { lint, type WarningKind } from './lint.ts'

const REFUND: ToolDefinition = {
  name: 'refund',
  inputSchema: {
    type: 'object',
    $defs: { Person: { type: 'object', properties: { email: { type: 'string' } }, additionalProperties: false } },
    properties: {
      amount: { type: 'number' },
      currency: { enum: ['EUR', 'USD'] },
      memo: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      notify: { type: 'array', items: { $ref: '#/$defs/Person' } },
      meta: {},
    },
    additionalProperties: false,
  },
}
const LIST: ToolDefinition = { name: 'list_invoices', inputSchema: { type: 'object' } }
const pin = (definition: ToolDefinition, keep = true) => ({
  server: 'billing',
  tool: String(definition.name),
  digest: definitionDigest(definition),
  ...(keep ? { definition } : {}),
})
const pins = [pin(REFUND), pin(LIST)]
const rule = (change: Partial<ToolRule>): ToolRule => ({
  name: 'r',
  match: { servers: ['billing'], tools: ['refund'] },
  effect: 'Allow',
  ...change,
})
const pinned = (change: Partial<ToolRule>): PolicySpec => ({ pins, tools: [rule(change)] })
const where = (constraint: object): PolicySpec => pinned({ where: [constraint] })

describe('refused: rules that can never match, or always err', () => {
  test.each<[PolicySpec, string, string]>([
    [
      pinned({ match: { servers: ['billing'], tools: ['refnud'] } }),
      'spec.tools[0].match',
      'can never match a tool of billing',
    ],
    [
      { pins, invariants: [{ name: 'i', match: { servers: ['billing'], tools: ['delete_*'] } }] },
      'spec.invariants[0].match',
      'can never match a tool of billing',
    ],
    [
      { pins, taint: [{ name: 't', after: { servers: ['billing'], tools: ['get_*'] }, match: { tools: ['*'] } }] },
      'spec.taint[0].after',
      'can never match a tool of billing',
    ],
    [
      { pins, redact: [{ match: { servers: ['billing'], tools: ['pay'] }, arguments: ['iban'] }] },
      'spec.redact[0].match',
      'can never match a tool of billing',
    ],
    [
      pinned({ evidence: [{ tool: 'billing/get_*' }] }),
      'spec.tools[0].evidence[0].tool',
      'can never match a tool of billing',
    ],
    [
      pinned({ object: { read: 'billing/get_invoice' } }),
      'spec.tools[0].object.read',
      'can never match a tool of billing',
    ],
    [
      pinned({ class: 'Write', match: { classes: ['Read'] } }),
      'spec.tools[0].match.classes',
      'can never match: by its own class, the tools of r are Write or stronger',
    ],
    [
      where({ arg: 'amonut', max: '5' }),
      'spec.tools[0].where[0]',
      'always errors: by its input schema, billing/refund cannot be given "amonut"',
    ],
    [
      where({ arg: 'amount', in: ['5'] }),
      'spec.tools[0].where[0]',
      'always errors: by its input schema, "amount" of billing/refund is a number, never a text',
    ],
    [
      where({ arg: 'currency', min: '1' }),
      'spec.tools[0].where[0]',
      'always errors: by its input schema, "currency" of billing/refund is a text, never a number or a decimal as text',
    ],
    [
      where({ arg: 'memo', subsetOf: ['a'] }),
      'spec.tools[0].where[0]',
      'always errors: by its input schema, "memo" of billing/refund is a text, never a list',
    ],
    [
      where({ arg: 'amount[*]', equals: 5 }),
      'spec.tools[0].where[0]',
      'always errors: by its input schema, billing/refund cannot be given "amount[*]"',
    ],
    [
      where({ arg: 'notify[*].phone', prefix: '+49' }),
      'spec.tools[0].where[0]',
      'always errors: by its input schema, billing/refund cannot be given "notify[*].phone"',
    ],
    [
      where({ arg: 'notify[*].email', not: { maxItems: 5 } }),
      'spec.tools[0].where[0]',
      'always errors: by its input schema, "notify[*].email" of billing/refund is a text, never a list',
    ],
    [
      {
        pins,
        guards: [{ name: 'g', match: { servers: ['billing'], tools: ['refund'] }, unless: [{ arg: 'x', max: '1' }] }],
      },
      'spec.guards[0].unless[0]',
      'always errors: by its input schema, billing/refund cannot be given "x"',
    ],
    [
      pinned({ limits: [{ per: '1d', sum: 'notify', max: '5' }] }),
      'spec.tools[0].limits[0].sum',
      'always errors: by its input schema, "notify" of billing/refund is a list, never a number or a decimal as text',
    ],
    [
      pinned({ evidence: [{ tool: 'billing/list_*', same: { id: 'id' } }] }),
      'spec.tools[0].evidence[0].same',
      'always errors: by its input schema, billing/refund cannot be given "id"',
    ],
    [
      pinned({ object: { read: 'billing/list_invoices', with: { id: 'invoice' } } }),
      'spec.tools[0].object.with.id',
      'always errors: by its input schema, billing/refund cannot be given "invoice"',
    ],
  ])('%#: %j', (spec, field, detail) => {
    const [problem, ...more] = lint(spec).problems
    expect(problem).toMatchObject({ field, detail, code: 'PolicyInvalid' })
    expect(problem?.fix).toMatch(/\.$/)
    expect(more).toEqual([])
  })

  test.each<[string, PolicySpec]>([
    ['what fits', where({ arg: 'amount', min: '1', max: '5' })],
    ['an argument the schema says nothing of', where({ arg: 'meta.x', equals: 1 })],
    ['money as text', where({ arg: 'currency', in: ['EUR'] })],
    ['a text that may be null', where({ arg: 'memo', prefix: 'x' })],
    ['an argument that need not be given', where({ arg: 'x', equals: 1, optional: true })],
    ['one that must not be given', where({ arg: 'x', absent: true })],
    ['a server that is not pinned', pinned({ match: { servers: ['billing', 'mail'], tools: ['send'] } })],
    ['any server', pinned({ match: { tools: ['delete_*'] } })],
    ['a pattern of servers', pinned({ match: { servers: ['bill*'], tools: ['pay'] } })],
    ['a pin without definition', { pins: [pin(REFUND, false)], tools: [rule({ where: [{ arg: 'x', equals: 1 }] })] }],
    [
      'another tool of the match that can be given it',
      pinned({ match: { servers: ['billing'] }, where: [{ arg: 'x', equals: 1 }] }),
    ],
  ])('not: %s', (_, spec) => expect(lint(spec).problems).toEqual([]))

  test('tools/list of a server without pins is known as well', () => {
    const spec = { tools: [rule({ where: [{ arg: 'amonut', equals: 5 }] })] }
    expect(lint(spec).problems).toEqual([])
    expect(lint(spec, 'Namespace', { billing: [REFUND] }).problems).toMatchObject([{ field: 'spec.tools[0].where[0]' }])
    expect(lint(spec, 'Namespace', { billing: [LIST] }).problems).toMatchObject([{ field: 'spec.tools[0].match' }])
  })
  test('a mistake is refused as checkPolicy does, without looking further', () => {
    expect(lint({ tools: [rule({ limits: [] })] }).problems).toMatchObject([{ field: 'spec.tools[0].limits' }])
  })
})

const kinds = (spec: PolicySpec) => lint(spec).warnings.map(({ kind, field }) => `${kind} ${field}`)
const bare = (change: Partial<ToolRule>): PolicySpec => ({ tools: [rule(change)] })
const refund = { servers: ['billing'], tools: ['refund'] }

describe('warned of', () => {
  test.each<[WarningKind, string, PolicySpec]>([
    ['NoLowerBound', 'spec.tools[0].where[0].max', bare({ where: [{ arg: 'amount', max: '50' }] })],
    ['DomainSuffix', 'spec.tools[0].where[0].suffix', bare({ where: [{ arg: 'to', suffix: 'corp.example' }] })],
    [
      'DomainSuffix',
      'spec.invariants[0].unless[0].suffix',
      { invariants: [{ name: 'i', match: refund, unless: [{ arg: 'to', suffix: 'corp.example' }] }] },
    ],
    [
      'DomainSuffix',
      'spec.tools[0].object.where[0].suffix',
      bare({ object: { read: 'a/b', where: [{ arg: 'owner', suffix: 'corp.example' }] } }),
    ],
    [
      'DomainSuffix',
      'spec.tools[0].where[0].not.suffix',
      bare({ effect: 'Deny', where: [{ arg: 'to', not: { suffix: 'corp.example' } }] }),
    ],
    ['Unanchored', 'spec.tools[0].where[0].pattern', bare({ where: [{ arg: 'id', pattern: 'T-[0-9]+' }] })],
    ['Wildcard', 'spec.tools[0].where[0].pattern', bare({ where: [{ arg: 'id', pattern: '^T-.*$' }] })],
    ['WriteUncontrolled', 'spec.tools[0]', bare({ class: 'Write', fields: ['a'] })],
    ['DefaultLimits', 'spec.tools[0]', bare({ class: 'SideEffect' })],
    ['NoBreaker', 'spec.tools[0]', bare({ class: 'Autonomous' })],
    ['EgressHosts', 'spec.egress.hosts', { egress: { hosts: ['api.model.example:443'] } }],
    ['Shadowed', 'spec.tools[0]', { tools: [rule({})], invariants: [{ name: 'i', match: { tools: ['re*'] } }] }],
    [
      'Shadowed',
      'spec.tools[0]',
      { tools: [rule({}), rule({ name: 'no', match: { servers: ['billing'] }, effect: 'Deny' })] },
    ],
    ['Shadowed', 'spec.tools[0]', { tools: [rule({}), rule({ name: 'ask', effect: 'Ask' })] }],
    ['Shadowed', 'spec.tools[0]', { readOnly: true, tools: [rule({ class: 'Draft', effect: 'Draft' })] }],
    [
      'Shadowed',
      'spec.tools[1]',
      { tools: [rule({ name: 'all', match: { tools: ['*'] } }), rule({ where: [{ arg: 'a', equals: 1 }] })] },
    ],
    ['Repeats', 'spec.tools[1]', { tools: [rule({}), rule({ name: 'again' })] }],
    [
      'Repeats',
      'spec.tools[0]',
      { tools: [rule({ effect: 'Deny' }), rule({ name: 'wider', match: { tools: ['*'] }, effect: 'Deny' })] },
    ],
    [
      'Repeats',
      'spec.tools[1]',
      { tools: [rule({ effect: 'Ask' }), rule({ name: 'again', effect: 'Ask', match: refund })] },
    ],
    [
      'Repeats',
      'spec.guards[1]',
      {
        guards: [
          { name: 'g', match: { tools: ['*'] } },
          { name: 'h', match: refund },
        ],
      },
    ],
  ])('%s %s: %j', (kind, field, spec) => {
    const { problems, warnings } = lint(spec)
    expect(problems).toEqual([])
    expect(warnings.map((each) => `${each.kind} ${each.field}`)).toEqual([`${kind} ${field}`])
    for (const { detail, fix } of warnings) {
      expect(detail).not.toMatch(/\.$|\n/)
      expect(fix).toMatch(/\.$/)
    }
  })

  test.each<[string, PolicySpec]>([
    ['both bounds', bare({ where: [{ arg: 'amount', min: '1', max: '50' }] })],
    [
      'both bounds, apart',
      bare({
        where: [
          { arg: 'amount', max: '50' },
          { arg: 'amount', min: '1' },
        ],
      }),
    ],
    ['max of an invariant', { invariants: [{ name: 'i', match: refund, unless: [{ arg: 'amount', max: '50' }] }] }],
    ['a mail domain', bare({ where: [{ arg: 'to', suffix: '@corp.example' }] })],
    ['hosts of a domain', bare({ where: [{ arg: 'host', suffix: '.corp.example' }] })],
    ['what a file ends with', bare({ where: [{ arg: 'file', suffix: '-final' }] })],
    ['what a memo must not hold', bare({ where: [{ arg: 'memo', not: { pattern: 'https?://' } }] })],
    ['what a Deny rule looks for', bare({ effect: 'Deny', where: [{ arg: 'memo', pattern: 'https?://' }] })],
    ['a full Write', bare({ class: 'Write', fields: ['a'], object: { read: 'a/b' } })],
    ['a Write that asks', bare({ class: 'Write', effect: 'Ask' })],
    ['a limited side effect', bare({ class: 'SideEffect', limits: [{ per: '1d', calls: 1 }] })],
    ['autonomous work with a breaker', { ...bare({ class: 'Autonomous' }), breaker: { errors: 5 } }],
    [
      'an invariant with a way out',
      {
        tools: [rule({})],
        invariants: [{ name: 'i', match: refund, unless: [{ arg: 'a', equals: 1 }] }],
      },
    ],
    [
      'a Deny rule for some of the tools',
      {
        tools: [rule({ match: { tools: ['re*'] } }), rule({ name: 'no', effect: 'Deny' })],
      },
    ],
    [
      'constraints that fall back to something stronger',
      {
        tools: [
          rule({ name: 'all', match: { tools: ['*'] } }),
          rule({ where: [{ arg: 'a', equals: 1 }], otherwise: 'Ask' }),
        ],
      },
    ],
    ['a guard over a rule that gives', { tools: [rule({})], guards: [{ name: 'g', match: refund }] }],
    ['the same tool of other servers', { tools: [rule({}), rule({ name: 's', match: { servers: ['mail'] } })] }],
    ['reads under the floor', { readOnly: true, tools: [rule({ class: 'Read' })] }],
    [
      'a side effect beside an unlimited rule of the same class',
      {
        tools: [
          rule({ name: 'all', class: 'SideEffect', limits: [{ per: '1d', calls: 1 }] }),
          rule({ class: 'SideEffect', limits: [{ per: '1d', calls: 2 }] }),
        ],
      },
    ],
  ])('not: %s', (_, spec) => expect(kinds(spec)).toEqual([]))

  test('long lists of names end the search for shadows, not the admission', () => {
    const tools = (index: number) => Array.from({ length: 64 }, (_, tool) => `${'*a'.repeat(40)}_${index}_${tool}`)
    const spec = {
      tools: Array.from({ length: 128 }, (_, index) => rule({ name: `r${index}`, match: { tools: tools(index) } })),
    }
    const started = cpuMs()
    expect(lint(spec).problems).toEqual([])
    expect(cpuMs() - started).toBeLessThan(3_000)
  })
})

test('schemas that branch without end do not hold up admission', () => {
  const self = { $ref: '#' }
  const tools = Array.from({ length: 64 }, (_, index) => ({
    name: `tool_${index}`,
    inputSchema: { anyOf: [self, self], oneOf: [self, self] },
  }))
  const where = Array.from({ length: 32 }, (_, index) => ({ arg: `a${index}`, equals: 1 }))
  const rules = Array.from({ length: 128 }, (_, index) => rule({ name: `r${index}`, match: { servers: ['s'] }, where }))
  const started = cpuMs()
  expect(lint({ tools: rules }, 'Namespace', { s: tools }).problems).toEqual([])
  expect(cpuMs() - started).toBeLessThan(3_000)
})
