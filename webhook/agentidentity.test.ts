import { describe, expect, test } from 'vitest'
import type { OwnerGroup } from '../lib/api/gen/types.ts'
import { mutateAgentIdentity, validateAgentIdentity } from './agentidentity.ts'
import type { Lookups } from './lookups.ts'
import type { Review, Verdict } from './review.ts'

const NOW = Date.parse('2026-11-21T02:00:00.500Z')
const STAMP = { username: 'ana', uid: '7', groups: ['team'], at: '2026-11-21T02:00:00Z' }
const spec = { ownerRef: { name: 'team' }, policyRefs: [{ name: 'p1' }], workload: { image: 'x' } }
const review = (object: object, oldObject?: object): Review => ({
  uid: 'u',
  operation: oldObject ? 'UPDATE' : 'CREATE',
  kind: { group: 'remit.dev', kind: 'AgentIdentity' },
  namespace: 'payments',
  name: 'bot',
  userInfo: { username: 'ana', uid: '7', groups: ['team'] },
  object: { metadata: { name: 'bot' }, spec: object },
  ...(oldObject ? { oldObject: { metadata: { name: 'bot' }, spec: oldObject } } : {}),
})
const patchOf = (verdict: Verdict) => (verdict.allowed ? verdict.patch : undefined)
const stampPatch = (value: unknown) => [{ op: 'add', path: '/spec/createdBy', value }]
const held = { op: 'add', path: '/metadata/finalizers', value: ['remit.dev/agent'] }

test('on CREATE the caller is stamped, whatever the request says', () => {
  expect(patchOf(mutateAgentIdentity(review(spec), NOW))).toEqual([...stampPatch(STAMP), held])
  const forged = mutateAgentIdentity(review({ ...spec, createdBy: { username: 'bo', at: 'x' } }), NOW)
  expect(patchOf(forged)).toEqual([...stampPatch(STAMP), held])
  expect(forged).toMatchObject({ warnings: [expect.stringContaining('replaced')] })
})

test('on CREATE the agent is held until the operator lets it go, beside what else holds it', () => {
  const withFinalizers = (finalizers: string[]) => {
    const asked = review({ ...spec, createdBy: STAMP })
    return { ...asked, object: { ...asked.object, metadata: { name: 'bot', finalizers } } }
  }
  expect(patchOf(mutateAgentIdentity(withFinalizers(['team/x']), NOW))).toEqual([
    { op: 'add', path: '/metadata/finalizers/-', value: 'remit.dev/agent' },
  ])
  expect(patchOf(mutateAgentIdentity(withFinalizers(['remit.dev/agent']), NOW))).toEqual([])
})

test('on UPDATE the stored stamp is put back, also when another user updates', () => {
  const old = { ...spec, createdBy: { username: 'bo', at: '2026-01-01T00:00:00Z' } }
  expect(patchOf(mutateAgentIdentity(review(spec, old), NOW))).toEqual(stampPatch(old.createdBy))
  expect(patchOf(mutateAgentIdentity(review({ ...spec, createdBy: STAMP }, old), NOW))).toEqual(
    stampPatch(old.createdBy),
  )
  expect(patchOf(mutateAgentIdentity(review(old, old), NOW))).toEqual([])
})

describe('who lifts a freeze', () => {
  const AT = '2026-11-21T01:59:58Z'
  const BO = { username: 'bo', at: '2026-11-20T00:00:00Z' }
  const old = { ...spec, createdBy: STAMP }
  const lifted = { ...old, unfrozenAt: '2026-11-20T00:00:00Z', unfrozenBy: BO }
  const stamp = { op: 'add', path: '/spec/unfrozenBy', value: STAMP }

  test.each([
    ['sets it', { ...old, unfrozenAt: AT }, old, [stamp], 0],
    ['sets it in another name', { ...old, unfrozenAt: AT, unfrozenBy: BO }, old, [stamp], 1],
    ['changes it', { ...lifted, unfrozenAt: AT }, lifted, [stamp], 0],
    ['leaves it alone', { ...lifted, purpose: 'x' }, lifted, [], 0],
    ['leaves it alone and takes credit', { ...lifted, unfrozenBy: STAMP }, lifted, [{ ...stamp, value: BO }], 1],
    ['removes it', { ...lifted, unfrozenAt: undefined }, lifted, [{ op: 'remove', path: '/spec/unfrozenBy' }], 1],
    ['removes both', old, lifted, [], 1],
    ['only claims it', { ...old, unfrozenBy: BO }, old, [{ op: 'remove', path: '/spec/unfrozenBy' }], 0],
  ])('%s', (_, now, before, patch, warnings) => {
    const verdict = mutateAgentIdentity(review(now, before), NOW)
    expect(patchOf(verdict)).toEqual(patch)
    expect(verdict.allowed && verdict.warnings).toHaveLength(warnings)
  })

  test('is stamped on CREATE as well', () => {
    const verdict = mutateAgentIdentity(review({ ...spec, createdBy: STAMP, unfrozenAt: AT, unfrozenBy: BO }), NOW)
    expect(patchOf(verdict)).toEqual([stamp, held])
  })

  test.each([
    ['2026-11-21T02:00:59Z', []],
    ['2026-11-21T02:01:01Z', ['UnfrozenInFuture']],
    ['no time', ['UnfrozenInFuture']],
  ])('%s', async (unfrozenAt, codes) => {
    const verdict = await validateAgentIdentity(review({ ...spec, unfrozenAt }, spec), world().lookups, NOW)
    expect(verdict.allowed ? [] : verdict.causes.map(({ code }) => code)).toEqual(codes)
  })
})

test('a credential gets the header it travels in, by the API of the model, unless one is given', () => {
  const credentialRef = { name: 's', key: 'k' }
  const given = {
    ...spec,
    createdBy: STAMP,
    servers: [{ name: 'a', credentialRef }, { name: 'b' }, { name: 'c', credentialRef, credentialHeader: 'x-token' }],
    models: [
      { name: 'm', api: 'Anthropic', credentialRef },
      { name: 'o', credentialRef },
    ],
  }
  expect(patchOf(mutateAgentIdentity(review(given, given), NOW))).toEqual([
    { op: 'add', path: '/spec/servers/0/credentialHeader', value: 'Authorization' },
    { op: 'add', path: '/spec/models/0/credentialHeader', value: 'x-api-key' },
    { op: 'add', path: '/spec/models/1/credentialHeader', value: 'Authorization' },
  ])
})

test('an object without spec is left to the schema', () => {
  expect(mutateAgentIdentity({ ...review(spec), object: { metadata: {} } }, NOW)).toMatchObject({
    allowed: true,
    patch: [],
  })
})

const group = (onCall: object, fallback?: string[]) =>
  ({
    metadata: { name: 'team' },
    spec: { members: [{ name: 'ana' }], onCall, ...(fallback ? { fallback } : {}) },
  }) as OwnerGroup
const later = { rotation: { timeZone: 'UTC', start: '2030-01-01T00:00', every: { unit: 'Week' }, order: [['ana']] } }

/** A world of one policy p1, one group, and a list of what was asked. */
const world = (change: Partial<Lookups> = {}) => {
  const asked: string[] = []
  const lookups: Lookups = {
    agent: async () => undefined,
    policyExists: async (_, name) => name === 'p1',
    ownerGroup: async (_, name) => (name === 'team' ? group({ owner: 'ana' }) : undefined),
    mayUse: async (_user, _namespace, name) => {
      asked.push(name)
      return true
    },
    mayReadSecret: async (_user, _namespace, name) => {
      asked.push(`secret ${name}`)
      return true
    },
    networkPolicies: async () => [],
    sidecar: async () => {
      throw new Error('not asked for here')
    },
    ...change,
  }
  return { lookups, asked }
}
const codes = (verdict: Verdict) => (verdict.allowed ? [] : verdict.causes.map((c) => `${c.code} ${c.field}`))

test.each<[string, object, object | undefined, Partial<Lookups>, string[]]>([
  ['all there', spec, undefined, {}, []],
  [
    'a policy missing',
    { ...spec, policyRefs: [{ name: 'p1' }, { name: 'p9' }] },
    undefined,
    {},
    ['PolicyMissing spec.policyRefs[1].name'],
  ],
  ['no right to use it', spec, undefined, { mayUse: async () => false }, ['MayNotUsePolicy spec.policyRefs[0].name']],
  [
    'no right hides whether it exists',
    { ...spec, policyRefs: [{ name: 'p9' }] },
    undefined,
    { mayUse: async () => false },
    ['MayNotUsePolicy spec.policyRefs[0].name'],
  ],
  [
    'the owner group missing',
    { ...spec, ownerRef: { name: 'x' } },
    undefined,
    {},
    ['OwnerGroupMissing spec.ownerRef.name'],
  ],
  ['nobody on call', spec, undefined, { ownerGroup: async () => group(later) }, ['NobodyOnCall spec.ownerRef.name']],
  ['before the rotation, with a fallback', spec, undefined, { ownerGroup: async () => group(later, ['ana']) }, []],
  [
    'a group stored damaged',
    spec,
    undefined,
    { ownerGroup: async () => group({ rotation: { timeZone: 'Nowhere', start: 'x', every: {}, order: [] } }) },
    ['NobodyOnCall spec.ownerRef.name'],
  ],
  [
    'a stale cache',
    spec,
    undefined,
    { ownerGroup: async (_n, _m, fresh) => (fresh ? group({ owner: 'ana' }) : undefined) },
    [],
  ],
  [
    'everything wrong is said at once',
    { ...spec, ownerRef: { name: 'x' }, policyRefs: [{ name: 'p9' }] },
    undefined,
    {},
    ['PolicyMissing spec.policyRefs[0].name', 'OwnerGroupMissing spec.ownerRef.name'],
  ],
  [
    'a NetworkPolicy that opens',
    spec,
    undefined,
    { networkPolicies: async () => [{ metadata: { name: 'all' }, spec: { podSelector: {}, egress: [{}] } }] },
    ['NetworkPolicyOpensAgents metadata.namespace'],
  ],
  [
    'references unchanged, policy gone meanwhile',
    { ...spec, purpose: 'x' },
    spec,
    { policyExists: async () => false, mayUse: async () => false, ownerGroup: async () => undefined },
    [],
  ],
  [
    'a policy added on update',
    { ...spec, policyRefs: [{ name: 'p1' }, { name: 'p9' }] },
    spec,
    {},
    ['PolicyMissing spec.policyRefs[1].name'],
  ],
])('%s', async (_, object, old, change, expected) => {
  expect(codes(await validateAgentIdentity(review(object, old), world(change).lookups, NOW))).toEqual(expected)
})

test('the right to use a policy is asked only for references that are new', async () => {
  const { lookups, asked } = world()
  await validateAgentIdentity(review({ ...spec, policyRefs: [{ name: 'p2' }, { name: 'p1' }] }, spec), lookups, NOW)
  expect(asked).toEqual(['p2'])
})

const credentialRef = { name: 'billing-token', key: 'token' }
const billing = { name: 'billing', url: 'https://192.0.2.1/mcp', credentialRef }
const withServers = (...servers: object[]) => ({ ...spec, servers })
const nobody = { mayReadSecret: async () => false }

test('a Secret is only sent for who may read it, wherever it is sent anew', async () => {
  const model = { name: 'main', url: 'https://192.0.2.2/v1', credentialRef }
  const verdict = await validateAgentIdentity(
    review({ ...withServers({ name: 'open', url: 'https://192.0.2.3/' }, billing), models: [model] }),
    world(nobody).lookups,
    NOW,
  )
  expect(codes(verdict)).toEqual([
    'MayNotReadSecret spec.servers[1].credentialRef.name',
    'MayNotReadSecret spec.models[0].credentialRef.name',
  ])
})

test.each<[string, object, boolean]>([
  ['the same endpoint', billing, true],
  [
    'another order of fields',
    { credentialRef: { key: 'token', name: 'billing-token' }, url: billing.url, name: 'billing' },
    true,
  ],
  ['another address', { ...billing, url: 'https://192.0.2.66/mcp' }, false],
  ['another key of the Secret', { ...billing, credentialRef: { ...credentialRef, key: 'other' } }, false],
  ['another header', { ...billing, credentialHeader: 'x-echo' }, false],
  ['another name', { ...billing, name: 'billing2' }, false],
])('on UPDATE with %s, by who may not read the Secret', async (_, server, allowed) => {
  const update = review(withServers(server), withServers(billing))
  expect((await validateAgentIdentity(update, world(nobody).lookups, NOW)).allowed).toBe(allowed)
})
