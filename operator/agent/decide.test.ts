import { describe, expect, test } from 'vitest'
import type { AgentIdentitySpec } from '../../lib/api/gen/types.ts'
import type { Remit } from '../../lib/api/remit.ts'
import type { NetworkPolicy, Pod, ServiceAccount } from '../../lib/kube/resources.ts'
import { nextSigningKeys } from '../certificates/signing-keys.ts'
import { decideAgent } from './decide.ts'
import { sameFence } from './same-fence.ts'
import type { World } from './world.ts'

const now = Date.parse('2026-11-21T02:00:00Z')
const { signer, anchors } = nextSigningKeys(undefined, now, 1e9)
const trust = { cluster: 'c1', ledgerCA: 'PEM', anchors, signer }
const meta = (name: string, uid: string) => ({ name, namespace: 'payments', uid, generation: 1 })
const labels = { 'remit.dev/agent': 'bot', 'remit.dev/agent-id': 'u1' }

const spec: AgentIdentitySpec = {
  ownerRef: { name: 'team' },
  policyRefs: [{ name: 'billing' }],
  workload: { image: 'i:1' },
  createdBy: { username: 'ana', at: '2026-11-21T01:00:00Z' },
}
const apiVersion = 'remit.dev/v1alpha1' as const
const base = (): World => ({
  namespace: 'payments',
  name: 'bot',
  now,
  epoch: 7,
  trust,
  ledger: {
    namespace: 'remit-system',
    slices: [],
    service: {
      metadata: meta('remit-ledger', 'l1'),
      spec: { clusterIP: '10.96.0.9', selector: { part: 'ledger' }, ports: [{ port: 8443 }] },
    } as never,
  },
  agent: { apiVersion, kind: 'AgentIdentity', metadata: meta('bot', 'u1'), spec },
  owner: {
    apiVersion,
    kind: 'OwnerGroup',
    metadata: meta('team', 'o1'),
    spec: { members: [{ name: 'ana' }], onCall: { owner: 'ana' } },
  },
  policies: [
    {
      apiVersion,
      kind: 'AgentPolicy',
      metadata: meta('billing', 'p1'),
      spec: { tools: [{ name: 'all', match: { tools: ['*'] }, effect: 'Allow' }] },
    },
  ],
  clusterPolicies: [],
  services: new Map(),
  nodes: [],
  runtimeClasses: [],
  pods: [],
  accounts: [{ metadata: { ...meta('agent-bot', 's1'), labels } } as ServiceAccount],
  fences: [],
  remits: [],
  warnings: [],
})
const withSpec =
  (more: Partial<AgentIdentitySpec>) =>
  (world: World): World => ({
    ...world,
    agent: { ...world.agent!, spec: { ...spec, ...more } },
  })
const withTool =
  (more: object) =>
  (world: World): World => ({
    ...world,
    policies: [
      {
        ...world.policies[0]!,
        spec: { tools: [{ name: 'all', match: { tools: ['*'] }, effect: 'Allow', ...more }] },
      },
    ],
  })
const ready = (world: World) => decideAgent(world).status?.conditions.find(({ type }) => type === 'Ready')

test.each<[string, (world: World) => World, string]>([
  ['suspended', withSpec({ suspended: true }), 'AgentSuspended'],
  ['expired', withSpec({ expiresAt: '2026-11-21T01:59:59Z' }), 'RemitExpired'],
  ['expires later', withSpec({ expiresAt: '2026-11-21T03:00:00Z' }), 'Starting'],
  ['no owner', (world) => ({ ...world, owner: undefined }), 'OwnerGroupMissing'],
  [
    'nobody on call',
    (world) => ({
      ...world,
      owner: {
        ...world.owner!,
        spec: {
          members: [{ name: 'ana' }],
          onCall: {
            rotation: { timeZone: 'UTC', start: '2030-01-01T00:00', every: { unit: 'Week' }, order: [['ana']] },
          },
        },
      },
    }),
    'NobodyOnCall',
  ],
  ['no policy', (world) => ({ ...world, policies: [] }), 'PolicyMissing'],
  ['a policy of a later version', withTool({ later: true }), 'PolicyUnsupported'],
  ['autonomous work without a runbook', withTool({ class: 'Autonomous' }), 'ControlMissing'],
  ['no keys', (world) => ({ ...world, trust: undefined }), 'NotReady'],
  ['no ledger', (world) => ({ ...world, ledger: undefined }), 'NotReady'],
  ['no Service', withSpec({ servers: [{ name: 's', service: { name: 'x', port: 1 } }] }), 'ServiceMissing'],
  ['no RuntimeClass', withSpec({ workload: { image: 'i', runtimeClassName: 'gvisor' } }), 'SandboxRefused'],
  [
    'suspended wins over no owner',
    (world) => ({ ...withSpec({ suspended: true })(world), owner: undefined }),
    'AgentSuspended',
  ],
  ['no owner wins over no policy', (world) => ({ ...world, owner: undefined, policies: [] }), 'OwnerGroupMissing'],
])('why it is not ready: %s', (_, change, reason) => {
  expect(ready(change(base()))?.reason).toBe(reason)
})

test('when nothing is against it: fence and remit, then the pod', () => {
  const plan = decideAgent(base())
  expect(plan).toMatchObject({ finalizer: 'add', pod: { do: 'create' }, fence: { stands: true } })
  expect(plan.remit?.remit).toMatchObject({
    cluster: 'c1',
    epoch: 7,
    generation: now,
    agent: { id: 'u1' },
    ledgerCA: 'PEM',
  })
})

const stored = (world: World): World => {
  const { remit } = decideAgent(world)
  return {
    ...world,
    remits: [{ apiVersion, kind: 'AgentRemit', metadata: { ...meta('bot', 'r1'), labels }, spec: remit as never }],
  }
}

test('a first status that would only say that the pod is on its way waits a moment, and nothing else does', () => {
  const pod = { metadata: { ...meta('agent-bot', 'p1'), labels, creationTimestamp: '2026-11-21T02:00:00Z' } } as Pod
  const plan = decideAgent({ ...base(), pods: [pod] })
  expect(plan).toMatchObject({ status: undefined, remit: { remit: { generation: now } }, lookAgainAt: now + 3_000 })
  expect(decideAgent({ ...base(), pods: [pod], now: now + 3_000 }).status?.phase).toBe('Pending')
})

test('a remit is signed again for its content and its key, not for time or a new leader', () => {
  const world = stored(base())
  expect(decideAgent({ ...world, now: now + 1e6, epoch: 8 }).remit).toBeUndefined()
  expect(decideAgent(withSpec({ suspended: true })(world)).remit?.remit).toMatchObject({
    suspended: true,
    generation: now + 1,
  })
  const other = nextSigningKeys(undefined, now, 1e9)
  const renewed = { ...trust, anchors: [...anchors, ...other.anchors], signer: other.signer }
  expect(decideAgent({ ...world, trust: renewed }).remit?.remit.generation).toBe(now + 1)
})

test('a remit nobody of us signed counts for nothing, and its generation neither', () => {
  const world = stored(base())
  const forged = structuredClone(world.remits[0]!)
  Object.assign(forged.spec.remit, { generation: Number.MAX_SAFE_INTEGER })
  expect(decideAgent({ ...world, remits: [forged] }).remit?.remit.generation).toBe(now)
})

test('without an owner a remit that was given is taken back; one that was not is not made', () => {
  expect(decideAgent({ ...base(), owner: undefined }).remit).toBeUndefined()
  const held = decideAgent({ ...stored(base()), owner: undefined })
  expect(held.remit?.remit).toMatchObject({ suspended: true } satisfies Partial<Remit>)
  expect(held.fence.apply[0]?.spec.egress).toHaveLength(1)
})

const pod = (more: object = {}, metadata: object = {}) =>
  ({
    metadata: { ...meta('agent-bot', 'pod1'), labels, annotations: {}, ...metadata },
    spec: {},
    status: {},
    ...more,
  }) as unknown as Pod
const gone = (world: World): World => ({
  ...world,
  agent: { ...world.agent!, metadata: { ...meta('bot', 'u1'), deletionTimestamp: 'x' } },
})

test('deletion: the pod first, all else when it is gone, the name last', () => {
  const world = {
    ...gone(stored(base())),
    fences: [{ metadata: { ...meta('agent-bot', 'n1'), labels } } as NetworkPolicy],
  }
  expect(decideAgent({ ...world, pods: [pod()] })).toMatchObject({
    finalizer: 'keep',
    endPods: [{ metadata: { uid: 'pod1' } }],
    fence: { apply: [], remove: [] },
    remit: { remit: { suspended: true } },
  })
  expect(decideAgent(world)).toMatchObject({
    finalizer: 'release',
    fence: { remove: [{ metadata: { uid: 'n1' } }] },
    removeAccounts: [{ metadata: { uid: 's1' } }],
    removeRemits: [{ metadata: { uid: 'r1' } }],
  })
})

test('what is left of an agent that is no more goes the same way', () => {
  const world = { ...base(), agent: undefined, pods: [pod()] }
  expect(decideAgent(world)).toMatchObject({
    endPods: [{ metadata: { uid: 'pod1' } }],
    removeAccounts: [],
    finalizer: 'keep',
  })
  expect(decideAgent({ ...world, pods: [] }).removeAccounts).toHaveLength(1)
})

test('a fence being deleted is stood in for while a pod runs, and no pod is made meanwhile', () => {
  const fence = {
    metadata: { ...meta('agent-bot', 'n1'), labels, deletionTimestamp: 'x', finalizers: ['remit.dev/pod-gone'] },
  } as NetworkPolicy
  const plan = decideAgent({ ...base(), fences: [fence], pods: [pod()] })
  expect(plan.fence.apply.map(({ metadata }) => metadata.name)).toEqual(['agent-bot.standin'])
  expect(plan.fence.remove).toEqual([fence])
  expect(decideAgent({ ...base(), fences: [fence] })).toMatchObject({
    fence: { apply: [], remove: [fence] },
    pod: { do: 'nothing' },
  })
})

test('a relabelled pod has left its fence and goes; a relabelled fence is mended where it stands', () => {
  const other = { 'remit.dev/agent': 'bot', 'remit.dev/agent-id': 'u2' }
  expect(decideAgent({ ...base(), pods: [pod({}, { labels: other })] }).endPods).toHaveLength(1)
  const ownerReferences = [{ uid: 'u1' }]
  const fence = { metadata: { ...meta('agent-bot', 'n1'), labels: other, ownerReferences } } as unknown as NetworkPolicy
  const plan = decideAgent({ ...base(), fences: [fence], pods: [pod()] })
  expect(plan.fence).toMatchObject({ remove: [], apply: [{ metadata: { name: 'agent-bot', labels } }] })
})

test('one rule too many is not the same fence', () => {
  const wanted = decideAgent(base()).fence.apply[0]!
  const found = structuredClone(wanted) as unknown as NetworkPolicy
  delete found.spec!.ingress
  expect(sameFence(wanted, found)).toBe(true)
  found.spec!.ingress = [{}]
  expect(sameFence(wanted, found)).toBe(false)
})

const failed = (finishedAt: string, startedAt: string, backoff: number) => {
  const { pod: made } = decideAgent(base())
  const template = made.do === 'create' ? made.pod.metadata.annotations['remit.dev/template'] : ''
  const annotations = {
    'remit.dev/template': template,
    'remit.dev/backoff': String(backoff),
    'remit.dev/restarts': '4',
  }
  const state = { terminated: { exitCode: 1, startedAt, finishedAt } }
  return pod({ status: { phase: 'Failed', containerStatuses: [{ name: 'agent', state }] } }, { annotations })
}
test.each([
  ['10 s after the first', '2026-11-21T01:59:51Z', '2026-11-21T01:59:50Z', 0, 'nothing'],
  ['then again', '2026-11-21T01:59:50Z', '2026-11-21T01:59:49Z', 0, 'replace'],
  ['80 s after the fourth', '2026-11-21T01:58:41Z', '2026-11-21T01:58:40Z', 3, 'nothing'],
  ['never more than 5 min', '2026-11-21T01:55:00Z', '2026-11-21T01:54:59Z', 30, 'replace'],
  ['one that ran for ten minutes starts over', '2026-11-21T01:59:50Z', '2026-11-21T01:49:50Z', 9, 'replace'],
])('a failed pod is made again: %s', (_, finished, started, backoff, expected) => {
  const plan = decideAgent({ ...base(), pods: [failed(finished, started, backoff)] })
  expect(plan.pod.do).toBe(expected)
  expect(plan.status?.restarts).toBe(expected === 'replace' ? 5 : 4)
  if (expected === 'nothing') expect(plan.lookAgainAt).toBeGreaterThan(now)
})

const AT = '2026-11-21T01:30:00.250Z'
const freeze = { at: AT, policy: 'payments/billing', detail: '3 denials in a row' }
const conditionOf = (world: World, type: string) =>
  decideAgent(world).status?.conditions.find((each) => each.type === type)
const liftedAt = (unfrozenAt: string) => withSpec({ unfrozenAt, unfrozenBy: { username: 'bo', at: unfrozenAt } })

describe('a frozen agent', () => {
  test('is not ready, and both conditions say how a person lifts it; its pod stays as it is', () => {
    const world = { ...base(), freeze }
    const plan = decideAgent(world)
    expect(plan.status).toMatchObject({ phase: 'Frozen', frozen: freeze })
    expect(ready(world)).toMatchObject({
      status: 'False',
      reason: 'AgentFrozen',
      message: `The agent is frozen since ${AT}: 3 denials in a row. A person who has looked into it unfreezes it: kubectl remit unfreeze bot -n payments.`,
    })
    expect(conditionOf(world, 'Frozen')).toMatchObject({
      status: 'True',
      reason: 'BreakerOpen',
      message: `The breaker of payments/billing opened at ${AT}: 3 denials in a row. Every call is denied. Once you know why: kubectl remit unfreeze bot -n payments`,
    })
    expect(conditionOf(world, 'SandboxReady')?.reason).toBe('Starting')
    expect({ ...plan, status: undefined }).toMatchObject({ ...decideAgent(base()), status: undefined })
  })

  test.each([
    ['before the freeze', '2026-11-21T01:30:00.249Z', 'BreakerOpen'],
    ['at its very millisecond', AT, 'NotFrozen'],
    ['after it', '2026-11-21T01:59:59Z', 'NotFrozen'],
    ['in advance', '2026-11-21T02:00:30Z', 'BreakerOpen'],
  ])('lifted %s', (_, at, reason) => {
    expect(conditionOf(liftedAt(at)({ ...base(), freeze }), 'Frozen')?.reason).toBe(reason)
  })

  test('lifted a little in advance is looked at again then', () => {
    const at = '2026-11-21T02:00:30Z'
    expect(decideAgent(liftedAt(at)({ ...base(), freeze })).lookAgainAt).toBe(Date.parse(at))
  })

  test('that was lifted says by whom', () => {
    const world = liftedAt('2026-11-21T01:59:59Z')({ ...base(), freeze })
    expect(conditionOf(world, 'Frozen')?.message).toContain(
      `The freeze of ${AT} was lifted by bo at 2026-11-21T01:59:59Z.`,
    )
    expect(ready(world)?.reason).toBe('Starting')
  })

  test('stays one while the ledger cannot say so, and after it has lost what it said', () => {
    const seen = (world: World): World => ({
      ...world,
      agent: { ...world.agent!, status: { ...decideAgent({ ...base(), freeze }).status, conditions: [] } },
    })
    expect(conditionOf(seen(base()), 'Frozen')?.reason).toBe('BreakerOpen')
    const older = { ...freeze, at: '2026-11-20T00:00:00Z' }
    expect(decideAgent(seen({ ...base(), freeze: older })).status?.frozen).toEqual(freeze)
    const newer = { ...freeze, at: '2026-11-21T01:50:00Z' }
    expect(decideAgent(seen({ ...base(), freeze: newer })).status?.frozen).toEqual(newer)
  })

  test.each<[string, (world: World) => World, string]>([
    ['suspended', withSpec({ suspended: true }), 'AgentSuspended'],
    ['without an owner', (world) => ({ ...world, owner: undefined }), 'OwnerGroupMissing'],
  ])('that is %s says that first, and that it is frozen all the same', (_, change, reason) => {
    const world = change({ ...base(), freeze })
    expect(ready(world)?.reason).toBe(reason)
    expect(conditionOf(world, 'Frozen')?.status).toBe('True')
  })
})
