import { describe, expect, test } from 'vitest'
import type { AgentIdentity, OwnerGroup, PolicySpec, ToolRule } from '../api/gen/types.ts'
import { canonical, sha256hex } from './canonical.ts'
import { type CompileInput, compile } from './compile.ts'
import { UserError } from './errors.ts'
import { prepare } from './prepare.ts'
import { input, owner, policy, remitOf } from './testing/remit.ts'

const all: PolicySpec = { tools: [{ name: 'all', match: { tools: ['*'] }, effect: 'Allow' }] }
const floor: PolicySpec = { invariants: [{ name: 'never', match: { tools: ['delete_*'] } }] }
const problemsOf = (change: Partial<CompileInput>, specs: PolicySpec[] = [all]) => {
  const result = compile({ ...input(specs), ...change })
  return 'problems' in result ? result.problems : []
}

test('a remit says what is enforced and what it was made from', () => {
  const egress = { cidrs: [{ cidr: '203.0.113.0/24', ports: [443] }] }
  const remit = remitOf([{ ...all, egress }], [floor])
  expect(remit).toEqual({
    version: 1,
    cluster: 'cluster-a',
    agent: {
      id: 'uid-agent',
      namespace: 'payments',
      name: 'billing-bot',
      purpose: 'Answers refund requests',
      runbook: 'https://runbooks.corp.example/billing-bot',
      createdBy: { username: 'ana@corp.example', at: '2026-11-01T00:00:00Z' },
    },
    generation: 1,
    epoch: 0,
    issuedAt: '2026-11-21T00:00:00Z',
    owner: { group: 'billing-team', spec: owner.spec },
    rules: [
      { policy: 'payments/p0', mode: 'Enforce', type: 'tool', name: 'all', match: { tools: ['*'] }, effect: 'Allow' },
      { policy: 'cluster/c0', mode: 'Enforce', type: 'invariant', name: 'never', match: { tools: ['delete_*'] } },
    ],
    servers: [
      { name: 'billing', url: 'http://10.0.0.1/billing' },
      { name: 'mail', url: 'http://10.0.0.1/mail' },
    ],
    models: [],
    egress,
    sources: [
      {
        kind: 'AgentIdentity',
        namespace: 'payments',
        name: 'billing-bot',
        uid: 'uid-agent',
        digest: expect.any(String),
      },
      {
        kind: 'OwnerGroup',
        namespace: 'payments',
        name: 'billing-team',
        uid: 'uid-owner',
        digest: sha256hex(canonical(owner.spec)),
      },
      {
        kind: 'AgentPolicy',
        namespace: 'payments',
        name: 'p0',
        uid: 'uid-p0',
        digest: sha256hex(canonical({ ...all, egress })),
      },
      { kind: 'ClusterAgentPolicy', name: 'c0', uid: 'uid-c0', digest: sha256hex(canonical(floor)) },
    ],
  })
  expect(JSON.parse(JSON.stringify(remit))).toStrictEqual(remit)
})

test('the same whatever the order of lists', () => {
  const given = input([all, { ...floor, mode: 'Observe' }], [floor, all.tools ? { guards: [] } : {}])
  const turned = {
    ...given,
    policies: given.policies.toReversed(),
    clusterPolicies: given.clusterPolicies.toReversed(),
    servers: given.servers.toReversed(),
  }
  expect(compile(turned)).toStrictEqual(compile(given))
})

describe('observing', () => {
  const observe: PolicySpec = { ...all, mode: 'Observe' }
  test.each<[string, PolicySpec[], PolicySpec[], true | undefined]>([
    ['every policy observes', [observe, { mode: 'Observe' }], [], true],
    ['a cluster policy enforces', [observe], [floor], true],
    ['one policy enforces', [observe, all], [], undefined],
    ['one policy enforces, without a rule', [observe, {}], [], undefined],
    ['no policy at all', [], [], undefined],
    ['no policy, a cluster policy observes', [], [{ ...floor, mode: 'Observe' }], undefined],
  ])('%s', (_, specs, cluster, expected) => {
    expect(remitOf(specs, cluster).observing).toBe(expected)
  })
  test('an observed policy opens no network', () => {
    expect(remitOf([{ ...observe, egress: { cidrs: [{ cidr: '10.0.0.0/8' }] } }]).egress).toEqual({ cidrs: [] })
  })
})

describe('refused, with the object, the field and the fix', () => {
  test('policies and owner groups that do not exist', () => {
    expect(problemsOf({ policies: [] })).toEqual([
      {
        field: 'spec.policyRefs[0].name',
        value: 'p0',
        code: 'PolicyMissing',
        detail: 'The policy p0 does not exist in namespace payments',
        fix: 'Create it, or name another in spec.policyRefs.',
      },
    ])
    expect(problemsOf({ owner: undefined })).toMatchObject([{ field: 'spec.ownerRef.name', code: 'OwnerGroupMissing' }])
    const elsewhere: OwnerGroup = { ...owner, metadata: { ...owner.metadata, namespace: 'other' } }
    expect(problemsOf({ owner: elsewhere })).toMatchObject([{ code: 'OwnerGroupMissing' }])
    const foreign = { ...policy('p0', all), metadata: { name: 'p0', namespace: 'other', uid: 'u' } }
    expect(problemsOf({ policies: [foreign] })).toMatchObject([{ code: 'PolicyMissing' }])
  })
  test('a policy that cannot be enforced to the letter', () => {
    const bad: PolicySpec = { tools: [{ name: 'r', match: { tools: ['*'] }, effect: 'Maybe' as 'Ask' }] }
    expect(problemsOf({}, [all, bad])).toMatchObject([
      { object: 'AgentPolicy payments/p1', field: 'spec.tools[0].effect', code: 'PolicyInvalid' },
    ])
    const result = compile(input([all], [all]))
    expect(result).toMatchObject({
      problems: [{ object: 'ClusterAgentPolicy c0', field: 'spec.tools[0].effect', code: 'PolicyInvalid' }],
    })
  })
  test('an owner group with a mistake, or with nobody on call now', () => {
    const wrong: OwnerGroup = { ...owner, spec: { ...owner.spec, fallback: ['eve'] } }
    expect(problemsOf({ owner: wrong })).toMatchObject([
      { object: 'OwnerGroup payments/billing-team', field: 'spec.fallback[0]' },
    ])
    const later: OwnerGroup = { ...owner, spec: { ...owner.spec, fallback: undefined } }
    expect(problemsOf({ owner: later, issuedAt: '2026-10-01T00:00:00Z' })).toMatchObject([
      { field: 'spec.onCall', code: 'NobodyOnCall' },
    ])
    expect(problemsOf({ owner: later })).toEqual([])
  })
  test('a remit over 256 KiB', () => {
    const rules = Array.from({ length: 128 }, (_, index) => ({
      name: `r${index}`,
      match: { tools: Array.from({ length: 32 }, (__, tool) => `tool_${index}_${tool}_${'x'.repeat(60)}`) },
      effect: 'Allow' as const,
    }))
    const [problem] = problemsOf({}, [{ tools: rules }])
    expect(problem).toMatchObject({ field: 'spec.policyRefs', code: 'RemitTooLarge' })
    expect(problem?.detail).toMatch(/^The compiled remit has \d{6} bytes; at most 262144 are allowed$/)
  })
})

test('what only our own mistake can cause is an error, not a problem', () => {
  const { metadata, ...rest } = input([all]).agent
  const without = (key: 'uid' | 'namespace'): AgentIdentity => ({
    ...rest,
    metadata: { ...metadata, [key]: undefined },
  })
  expect(() => compile({ ...input([all]), agent: without('uid') })).toThrow('has no uid')
  expect(() => compile({ ...input([all]), agent: without('namespace') })).toThrow('has no namespace')
  expect(() => compile({ ...input([all]), policies: [policy('p0', all), policy('stranger', all)] })).toThrow(
    'does not name',
  )
})

describe('prepare', () => {
  const [rule] = remitOf([all]).rules
  test.each<[string, object, string]>([
    ['an operator of a later version', { where: [{ arg: 'a', soundsLike: 'x' }] }, 'PolicyInvalid'],
    ['a field of a later version', { confidence: 1 }, 'PolicyUnsupported'],
    ['an effect of a later version', { effect: 'Defer' }, 'PolicyInvalid'],
    ['a mode of a later version', { mode: 'Audit' }, 'PolicyUnsupported'],
    ['a type of a later version', { type: 'breaker' }, 'PolicyUnsupported'],
    ['no match', { match: undefined }, 'PolicyInvalid'],
    ['operators that no value can satisfy', { where: [{ arg: 'a', equals: 1, prefix: 'x' }] }, 'PolicyInvalid'],
  ])('refuses a remit with %s', (_, change, code) => {
    const remit = { ...remitOf([all]), rules: [{ ...rule, ...change }] } as ReturnType<typeof remitOf>
    expect(() => prepare(remit)).toThrow(expect.objectContaining({ code }))
    expect(() => prepare(remit)).toThrow(UserError)
  })
})

describe('autonomous work', () => {
  const rule: ToolRule = {
    name: 'deploys',
    match: { tools: ['start'] },
    class: 'Autonomous',
    limits: [{ concurrent: 1 }],
  }
  const spec: PolicySpec = { tools: [rule], breaker: { errors: 3 } }
  const lacks = (change: (whole: CompileInput) => void) => {
    const whole = structuredClone(input([spec]))
    change(whole)
    const result = compile(whole)
    return 'problems' in result
      ? result.problems.map(({ code, detail }) => [code, detail.split('which needs ')[1]])
      : []
  }
  test.each<[string, (whole: CompileInput) => void, string[][]]>([
    ['with all it needs', () => {}, []],
    ['without a runbook', ({ agent }) => delete agent.spec.runbook, [['ControlMissing', 'a runbook']]],
    ['without a breaker', ({ policies }) => delete policies[0]?.spec.breaker, [['ControlMissing', 'a breaker']]],
    [
      'with one owner',
      ({ owner }) => Object.assign(owner?.spec ?? {}, { onCall: { owner: 'ana' } }),
      [['ControlMissing', 'an owner group with a rotation']],
    ],
    [
      'that asks anyway',
      ({ agent, policies }) => {
        delete agent.spec.runbook
        Object.assign(policies[0]?.spec.tools?.[0] ?? {}, { effect: 'Ask' })
      },
      [],
    ],
    [
      'on a laptop',
      (whole) => {
        whole.cluster = 'standalone'
        delete whole.agent.spec.runbook
      },
      [],
    ],
  ])('%s', (_, change, problems) => expect(lacks(change)).toEqual(problems))
})

test('what one policy redacts, no other may need in the record', () => {
  const sums: PolicySpec = {
    tools: [
      { name: 'r', match: { tools: ['pay'] }, effect: 'Allow', limits: [{ per: '1h', sum: 'amount', max: '5' }] },
    ],
  }
  const result = compile(input([sums], [{ redact: [{ match: { tools: ['*'] }, arguments: ['amount'] }] }]))
  expect(result).toMatchObject({
    problems: [{ object: 'AgentPolicy payments/p0', field: 'spec.tools[0].limits[0].sum', code: 'PolicyInvalid' }],
  })
})
