import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Constraint, PolicySpec, ToolRule } from '../../lib/api/gen/types.ts'
import { NOW, remitOf } from '../../lib/core/testing/remit.ts'
import { compare, type Difference } from './diff.ts'
import { openSolver, type Solver } from './solver/solver.ts'

let solver: Solver
beforeAll(() => {
  solver = openSolver()
})
afterAll(() => {
  solver.close()
})

const diff = (
  old: PolicySpec,
  now: PolicySpec,
  cluster: [PolicySpec[], PolicySpec[]] = [[], []],
): Promise<Difference> =>
  compare(remitOf([old], cluster[0]), remitOf([now], cluster[1]), { solver, timeout: 20_000, now: NOW })

const match = { servers: ['billing'], tools: ['refund'] }
const refund = (rest: Partial<ToolRule>): ToolRule => ({ name: 'refunds', match, effect: 'Allow', ...rest })
const where = (...constraints: Constraint[]): PolicySpec => ({ tools: [refund({ where: constraints })] })
const amount = (min: string, max: string): Constraint => ({ arg: 'amount', min, max })

const argumentsOf = ({ examples }: Difference) => examples.map(({ candidate }) => candidate.arguments)

describe('a change that widens is shown by a call', () => {
  const cases: [string, PolicySpec, PolicySpec, object?][] = [
    ['a wider amount', where(amount('0', '50')), where(amount('0', '100')), { amount: 51 }],
    ['an amount wider by one hundredth of a cent', where(amount('0', '50')), where(amount('0', '50.0001'))],
    ['a lower bound that is gone', where(amount('0', '50')), where({ arg: 'amount', max: '50' })],
    [
      'a suffix without its @',
      where({ arg: 'to', suffix: '@corp.example' }),
      where({ arg: 'to', suffix: 'corp.example' }),
    ],
    [
      'a longer list of values',
      where({ arg: 'c', in: ['EUR'] }),
      where({ arg: 'c', in: ['EUR', 'USD'] }),
      { c: 'USD' },
    ],
    [
      'a value less that is not allowed',
      where({ arg: 'c', notIn: ['EUR', 'USD'] }),
      where({ arg: 'c', notIn: ['EUR'] }),
      { c: 'USD' },
    ],
    [
      'a pattern that is open at the end',
      where({ arg: 'id', pattern: '^T-[0-9]+$' }),
      where({ arg: 'id', pattern: '^T-[0-9]+' }),
    ],
    [
      'a pattern with more repetitions',
      where({ arg: 'id', pattern: '^a{2,3}$' }),
      where({ arg: 'id', pattern: '^a{2,4}$' }),
      { id: 'aaaa' },
    ],
    ['a shorter prefix', where({ arg: 'path', prefix: '/srv/data/' }), where({ arg: 'path', prefix: '/srv/' })],
    [
      'an element is enough',
      where({ arg: 'to[*]', equals: 'a' }, { arg: 'to', maxItems: 1 }),
      where({ arg: 'to[*]', equals: 'a' }),
    ],
    ['another operator on the same argument', where({ arg: 'x', equals: '5' }), where({ arg: 'x', max: '5' })],
    [
      'an argument that may be left out',
      where({ arg: 'c', equals: 'EUR' }),
      where({ arg: 'c', equals: 'EUR', optional: true }),
      {},
    ],
    ['a presence that is not asked for', where({ arg: 'reason', required: true }), { tools: [refund({})] }],
    ['fields', { tools: [refund({ fields: ['id'] })] }, { tools: [refund({ fields: ['id', 'note'] })] }],
    [
      'a wider network',
      where({ arg: 'ip', cidr: '10.1.0.0/16' }),
      where({ arg: 'ip', cidr: '10.0.0.0/8' }),
      { ip: '10.0.0.1' },
    ],
    [
      'an opaque expression that is gone',
      where(amount('0', '5'), { cel: 'args.amount != 3' }),
      where(amount('0', '5')),
    ],
    [
      'beside an equal opaque expression',
      where(amount('0', '5'), { cel: 'args.from != args.to' }),
      where(amount('0', '9'), { cel: 'args.from != args.to' }),
    ],
    [
      'a tool of another name',
      { tools: [refund({})] },
      { tools: [refund({ match: { servers: ['billing'], tools: ['refund*'] } })] },
    ],
    [
      'a server more',
      { tools: [refund({})] },
      { tools: [refund({ match: { servers: ['billing', 'bank'], tools: ['refund'] } })] },
    ],
    [
      'an invariant less',
      { tools: [refund({})], invariants: [{ name: 'cap', match, unless: [amount('0', '9')] }] },
      { tools: [refund({})] },
    ],
    ['a guard less', { tools: [refund({})], guards: [{ name: 'wait', match }] }, { tools: [refund({})] }],
    ['Ask that becomes Allow', { tools: [refund({ effect: 'Ask' })] }, { tools: [refund({})] }],
    ['Draft that becomes Allow', { tools: [refund({ effect: 'Draft' })] }, { tools: [refund({})] }],
    [
      'a Deny rule less',
      { tools: [refund({}), refund({ name: 'no', effect: 'Deny', where: [{ arg: 'c', equals: 'USD' }] })] },
      { tools: [refund({})] },
    ],
    [
      'a class that is left out of the read-only floor',
      { readOnly: true, tools: [refund({})] },
      { tools: [refund({})] },
    ],
    [
      'a tool that is no longer among what taints, for its class is another',
      {
        tools: [
          refund({ class: 'Read' }),
          { name: 'web', class: 'SideEffect', effect: 'Allow', match: { tools: ['web'] } },
        ],
        taint: [{ name: 'careful', after: { classes: ['SideEffect'] }, match }],
      },
      {
        tools: [refund({ class: 'Read' }), { name: 'web', class: 'Read', effect: 'Allow', match: { tools: ['web'] } }],
        taint: [{ name: 'careful', after: { classes: ['SideEffect'] }, match }],
      },
    ],
    ['the mode Observe', { tools: [] }, { mode: 'Observe', tools: [] }],
  ]
  test.each(cases)('%s', async (_, old, now, shown) => {
    const found = await diff(old, now)
    expect(found).toMatchObject({ verdict: 'wider', undecided: [] })
    expect(found.examples[0]).toMatchObject({ question: 'Allow', decided: { new: { effect: 'Allow' } } })
    if (shown !== undefined) expect(argumentsOf(found)[0]).toMatchObject(shown)
  })

  test('each further rule and tool has its own example', async () => {
    const rule = (name: string, tool: string) => refund({ name, match: { servers: ['billing'], tools: [tool] } })
    const found = await diff({ tools: [] }, { tools: [rule('a', 'one'), rule('b', 'two'), rule('c', 'three')] })
    expect(found.examples.map(({ candidate }) => candidate.target.tool).sort()).toEqual(['one', 'three', 'two'])
  })

  test('what the cluster no longer forbids', async () => {
    const found = await diff({ tools: [refund({})] }, { tools: [refund({})] }, [
      [{ invariants: [{ name: 'never', match }] }],
      [],
    ])
    expect(found.verdict).toBe('wider')
  })
})

describe('a call that newly waits or is drafted', () => {
  test.each<[string, PolicySpec, PolicySpec, string]>([
    [
      'otherwise Ask',
      where(amount('0', '50')),
      { tools: [refund({ where: [amount('0', '50')], otherwise: 'Ask' })] },
      'Ask',
    ],
    ['a rule that asks', { tools: [] }, { tools: [refund({ effect: 'Ask' })] }, 'Ask'],
    ['a rule that drafts', { tools: [] }, { tools: [refund({ effect: 'Draft' })] }, 'Draft'],
  ])('%s', async (_, old, now, effect) => {
    const found = await diff(old, now)
    expect(found).toMatchObject({
      verdict: 'wider',
      examples: [{ question: 'Ask', decided: { old: { effect: 'Deny' }, new: { effect } } }],
    })
  })
})

describe('a change that does not widen', () => {
  const split = (...parts: [string, string][]): PolicySpec => ({
    tools: parts.map(([low, high], index) => refund({ name: `part-${index}`, where: [amount(low, high)] })),
  })
  const cel = { cel: 'args.from != args.to' }
  const cases: [string, PolicySpec, PolicySpec][] = [
    ['none at all', where(amount('0', '50')), where(amount('0', '50'))],
    ['a narrower amount', where(amount('0', '50')), where(amount('1', '50'))],
    [
      'rules in another order',
      split(['0', '1'], ['5', '6']),
      { tools: [...(split(['0', '1'], ['5', '6']).tools ?? [])].reverse() },
    ],
    ['a rule of another name', { tools: [refund({})] }, { tools: [refund({ name: 'other' })] }],
    ['a rule in two halves', split(['0', '100']), split(['0', '50'], ['50', '100'])],
    ['two halves in one rule', split(['0', '50'], ['50', '100']), split(['0', '100'])],
    [
      'a list in two rules',
      where({ arg: 'c', in: ['EUR', 'USD'] }),
      {
        tools: [
          refund({ where: [{ arg: 'c', in: ['USD'] }], otherwise: undefined as never }),
          refund({ name: 'b', where: [{ arg: 'c', equals: 'EUR' }] }),
        ],
      },
    ],
    ['a narrower pattern', where({ arg: 'id', pattern: '^[a-z]+$' }), where({ arg: 'id', pattern: '^[a-f]+$' })],
    [
      'another spelling of a pattern',
      where({ arg: 'id', pattern: '^a(b|c)d?$' }),
      where({ arg: 'id', pattern: '^(?:ab|ac)(?:d|)$' }),
    ],
    ['a pattern for a list', where({ arg: 'c', pattern: '^(EUR|USD)$' }), where({ arg: 'c', in: ['EUR', 'USD'] })],
    [
      'a value for a pattern',
      where({ arg: 'to', suffix: '@corp.example' }),
      where({ arg: 'to', equals: 'a@corp.example' }),
    ],
    ['a longer prefix', where({ arg: 'path', prefix: '/srv/' }), where({ arg: 'path', prefix: '/srv/data/' })],
    ['an equal opaque expression', where(cel), where(cel)],
    ['an equal opaque expression, narrower beside', where(amount('0', '9'), cel), where(amount('0', '5'), cel)],
    ['an opaque expression more', where(amount('0', '9')), where(amount('0', '9'), cel)],
    ['a narrower network', where({ arg: 'ip', cidr: '10.0.0.0/8' }), where({ arg: 'ip', cidr: '10.1.0.0/16' })],
    [
      'for every element what was for every element',
      where({ arg: 'to[*]', in: ['a', 'b'] }),
      where({ arg: 'to', subsetOf: ['a', 'b'] }, { arg: 'to[*]', in: ['a', 'b'] }),
    ],
    ['nested lists', where({ arg: 'a[*].b[*]', in: ['x', 'y'] }), where({ arg: 'a[*].b[*]', in: ['y'] })],
    ['a field less', { tools: [refund({ fields: ['id', 'note'] })] }, { tools: [refund({ fields: ['id'] })] }],
    [
      'an invariant more',
      { tools: [refund({})] },
      { tools: [refund({})], invariants: [{ name: 'cap', match, unless: [amount('0', '9')] }] },
    ],
    [
      'an invariant for a constraint',
      where(amount('0', '9')),
      { tools: [refund({})], invariants: [{ name: 'cap', match, unless: [amount('0', '9')] }] },
    ],
    ['Allow that becomes Draft', { tools: [refund({})] }, { tools: [refund({ effect: 'Draft' })] }],
    [
      'a rule for a glob that had it',
      { tools: [refund({ match: { tools: ['*'] } })] },
      { tools: [refund({ match: { servers: ['b*'], tools: ['get_*', 'refund'] } })] },
    ],
    [
      'the floor for all',
      { tools: [refund({ class: 'Read' })] },
      { readOnly: true, tools: [refund({ class: 'Read' })] },
    ],
  ]
  test.each(cases)('%s', async (_, old, now) => {
    expect(await diff(old, now)).toMatchObject({ verdict: 'no wider', examples: [], loosened: [], undecided: [] })
  })
})

describe('what cannot be decided is said', () => {
  test.each<[string, PolicySpec, PolicySpec, string]>([
    [
      'another expression',
      where(amount('0', '5'), { cel: 'args.amount < 3.5 || args.x.size() > 99' }),
      where(amount('0', '5'), { cel: 'args.amount < 3.5 || args.x.size() > 98' }),
      'refunds',
    ],
    [
      'another pattern outside of the subset',
      where({ arg: 'c', pattern: '(?i)^zzq$' }),
      where({ arg: 'c', pattern: '(?i)^zzqq$' }),
      'refunds',
    ],
  ])('%s', async (_, old, now, rule) => {
    const found = await diff(old, now)
    expect(found).toMatchObject({ verdict: 'undecided', examples: [] })
    expect(found.undecided[0]?.because).toContain(rule)
  })
})

describe('the past', () => {
  const limited = (...limits: ToolRule['limits'] & object): PolicySpec => ({ tools: [refund({ limits })] })
  const evident = (...evidence: ToolRule['evidence'] & object): PolicySpec => ({ tools: [refund({ evidence })] })
  const tainted = (lasts: string, after = ['read_*']): PolicySpec => ({
    tools: [refund({})],
    taint: [{ name: 'careful', after: { tools: after }, for: lasts, match }],
  })
  test.each<[string, PolicySpec, PolicySpec, string]>([
    [
      'more calls',
      limited({ calls: 10, per: '24h' }),
      limited({ calls: 20, per: '24h' }),
      '10 calls of billing/refund',
    ],
    ['a shorter time', limited({ calls: 10, per: '24h' }), limited({ calls: 10, per: '1h' }), '10 calls'],
    [
      'a higher sum',
      limited({ sum: 'amount', max: '500', per: '24h' }),
      limited({ sum: 'amount', max: '900', per: '24h' }),
      '',
    ],
    [
      'more different values',
      limited({ distinct: 'to', max: '2', per: '24h' }),
      limited({ distinct: 'to', max: '3', per: '24h' }),
      'different to',
    ],
    ['more at a time', limited({ concurrent: 1 }), limited({ concurrent: 2 }), 'under way'],
    ['no limit', limited({ calls: 10, per: '24h' }), { tools: [refund({})] }, '10 calls'],
    [
      'evidence that is not asked for',
      evident({ tool: 'billing/get_invoice', same: { id: 'id' } }),
      { tools: [refund({})] },
      '',
    ],
    [
      'older evidence',
      evident({ tool: 'billing/get_invoice', within: '1h' }),
      evident({ tool: 'billing/get_invoice', within: '24h' }),
      'billing/get_invoice',
    ],
    ['a taint that ends sooner', tainted('24h'), tainted('1h'), 'read_'],
    ['no taint', tainted('24h'), { tools: [refund({})] }, 'read_'],
  ])('%s widens', async (_, old, now, says) => {
    const found = await diff(old, now)
    expect(found).toMatchObject({ verdict: 'wider', undecided: [] })
    expect(found.examples[0]?.before.says).toContain(says)
  })

  test.each<[string, PolicySpec, PolicySpec]>([
    ['fewer calls', limited({ calls: 20, per: '24h' }), limited({ calls: 10, per: '24h' })],
    ['a longer time', limited({ calls: 10, per: '1h' }), limited({ calls: 10, per: '24h' })],
    [
      'a limit for all of the agent',
      limited({ calls: 10, per: '1h' }),
      limited({ calls: 10, per: '1h', scope: 'Agent' }),
    ],
    [
      'a lower sum',
      limited({ sum: 'amount', max: '500', per: '24h' }),
      limited({ sum: 'amount', max: '50', per: '24h' }),
    ],
    ['a sum for a bound', where(amount('0', '50')), limited({ sum: 'amount', max: '50', per: '24h' })],
    [
      'newer evidence',
      evident({ tool: 'billing/get_invoice', within: '24h' }),
      evident({ tool: 'billing/get_invoice', within: '1h' }),
    ],
    ['a taint that lasts', tainted('1h'), tainted('24h')],
    ['a taint by more', tainted('1h'), tainted('1h', ['read_*', 'fetch'])],
  ])('%s does not', async (_, old, now) => {
    expect(await diff(old, now)).toMatchObject({ verdict: 'no wider', undecided: [] })
  })
})

describe('what is compared by being equal', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const pin = { server: 'billing', tool: 'refund', digest }
  const base: PolicySpec = { tools: [refund({})] }
  test.each<[string, PolicySpec, PolicySpec, string]>([
    ['a pin that is gone', { ...base, pins: [pin] }, base, 'no longer pinned'],
    [
      'a pin that is another',
      { ...base, pins: [pin] },
      { ...base, pins: [{ ...pin, digest: `sha256:${'b'.repeat(64)}` }] },
      'is another',
    ],
    ['a redaction that is gone', { ...base, redact: [{ match, arguments: ['iban'] }] }, base, 'iban'],
    ['a breaker that is looser', { ...base, breaker: { errors: 3 } }, { ...base, breaker: { errors: 9 } }, '3'],
    ['a network that is opened', base, { ...base, egress: { cidrs: [{ cidr: '10.0.0.0/8' }] } }, '10.0.0.0/8'],
  ])('%s is wider', async (_, old, now, detail) => {
    const found = await diff(old, now)
    expect(found.verdict).toBe('wider')
    expect(found.loosened.map((each) => each.detail).join()).toContain(detail)
  })

  test('a pin more is not', async () => {
    expect(await diff(base, { ...base, pins: [pin] })).toMatchObject({ verdict: 'no wider', loosened: [] })
  })
})
