import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentIdentitySpec } from '../../lib/api/gen/types.ts'
import { eventually } from '../harness/eventually.ts'
import { agentNow, waitReady } from './support/agents.ts'
import { agentOf, applyPayments } from './support/company.ts'
import { apply, kubectl, ok, tryApply } from './support/kubectl.ts'
import { roleFor } from './support/people.ts'
import { visitor } from './support/probe.ts'
import { intentsIn, receiptName, receiptsOf } from './support/receipts.ts'
import { dropNamespaces, makeNamespace } from './support/world.ts'

const EDITOR = 'edie@corp.example'
const NOVICE = 'nils@corp.example'
const READER = 'vera@corp.example'
let ns: string
let other: string

beforeAll(async () => {
  ns = await makeNamespace('refuse')
  other = await makeNamespace('beside')
  await applyPayments(ns)
  await applyPayments(other)
  await apply(
    roleFor(EDITOR, ns, 'edit'),
    roleFor(EDITOR, ns, 'remit-policy-user'),
    roleFor(NOVICE, ns, 'edit'),
    roleFor(READER, ns, 'view'),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'team', namespace: ns } },
  )
  const steps = [{ server: 'billing', tool: 'get_invoice', arguments: { invoice_id: 'INV-1007' } }]
  // By the editor, with a stamp that says somebody else did.
  const spec = { createdBy: { username: 'ceo@corp.example', at: '2020-01-01T00:00:00Z' } }
  const mine = await tryApply([agentOf({ name: 'mine', namespace: ns, steps, spec })], EDITOR)
  expect(mine.err).toMatch(/spec\.createdBy: who created an agent is not up to the request/)
  await apply(agentOf({ name: 'theirs', namespace: other, steps }))
  await waitReady(ns, 'mine')
  await waitReady(other, 'theirs')
}, 180_000)
afterAll(() => dropNamespaces(ns, other))

const refused = async (objects: object[], says: RegExp, as = EDITOR) => {
  const { code, err } = await tryApply(objects, as)
  expect(err).toMatch(says)
  expect(code).not.toBe(0)
}

test('the agent says who created it, as the API server saw them', async () => {
  const { spec } = await agentNow(ns, 'mine')
  expect(spec.createdBy).toMatchObject({ username: EDITOR })
  expect(Date.parse(spec.createdBy?.at ?? '')).toBeGreaterThan(Date.now() - 600_000)
})

describe('an agent is refused', () => {
  test.each<[string, Partial<AgentIdentitySpec>, RegExp]>([
    [
      'whose policy does not exist',
      { policyRefs: [{ name: 'nowhere' }] },
      /policy nowhere does not exist in namespace e2e-/,
    ],
    ['whose owner group does not exist', { ownerRef: { name: 'nobodies' } }, /owner group nobodies does not exist/],
  ])('%s', async (_, spec, says) => {
    await refused([agentOf({ name: 'new', namespace: ns, spec })], says)
  })

  test('by somebody who may not use its policy', async () => {
    await refused(
      [agentOf({ name: 'new', namespace: ns })],
      /nils@corp\.example may not use the policy billing.*"use"/s,
      NOVICE,
    )
  })

  test('whose environment would come from a Secret', async () => {
    const workload = {
      env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'billing-token', key: 'token' } } }],
    } as never
    await refused([agentOf({ name: 'new', namespace: ns, workload })], /secretKeyRef/)
  })
})

test('an owner group with nobody in it is refused', async () => {
  const group = (spec: object) => [
    { apiVersion: 'remit.dev/v1alpha1', kind: 'OwnerGroup', metadata: { name: 'empty', namespace: ns }, spec },
  ]
  const admin = undefined
  const none = await tryApply(group({ members: [], onCall: { owner: 'ana' } }), admin)
  expect(none.code).not.toBe(0)
  expect(none.err).toMatch(/spec\.members/)
  const stranger = await tryApply(
    group({
      members: [{ name: 'bo', identities: [{ kind: 'User', name: 'bo@corp.example' }] }],
      onCall: { owner: 'ana' },
    }),
    admin,
  )
  expect(stranger.code).not.toBe(0)
  expect(stranger.err).toMatch(/ana/)
})

test('a policy that could not be enforced is refused, with the field, the value and the fix', async () => {
  const policy = {
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentPolicy',
    metadata: { name: 'wrong', namespace: ns },
    spec: {
      tools: [
        { name: 'r', match: { tools: ['refund'] }, effect: 'Allow', where: [{ arg: 'amount', min: '5', max: '1' }] },
      ],
    },
  }
  const { code, err } = await tryApply([policy])
  expect(code).not.toBe(0)
  expect(err).toMatch(/spec\.tools\[0\]\.where\[0\]/)
  expect(err).toMatch(/5/)
})

describe("what passes for an agent's is refused", () => {
  const deployment = (name: string, template: object) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: ns },
    spec: {
      selector: { matchLabels: { app: 'x' } },
      template: { metadata: { labels: { app: 'x' } }, spec: visitor(ns, 'x').spec, ...template },
    },
  })
  test.each<[string, () => object, RegExp]>([
    ["a Deployment under an agent's name", () => deployment('mine', {}), /AgentIdentity/],
    [
      "a Deployment under an agent's ServiceAccount",
      () => deployment('bot', { spec: { ...visitor(ns, 'x').spec, serviceAccountName: 'agent-mine' } }),
      /AgentIdentity/,
    ],
    ['a pod named as an agent’s', () => visitor(ns, 'agent-fake'), /agent-/],
    [
      "a pod with an agent's label",
      () => visitor(ns, 'fake', { 'remit.dev/agent': 'mine' }),
      /remit\.dev\/agent|AgentIdentity/,
    ],
    [
      'a NetworkPolicy that opens agents',
      () => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'open', namespace: ns },
        spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{}] },
      }),
      /remit\.dev\/agent, operator: DoesNotExist/,
    ],
  ])('%s', async (_, object, says) => {
    await refused([object()], says)
  })
})

describe('nobody gets into a running agent, not even an administrator', () => {
  const pod = 'agent-mine'
  const says = /into an agent's pod is refused[\s\S]*kubectl remit timeline mine/
  test.each<[string, () => string[], RegExp]>([
    ['exec', () => ['exec', '-n', ns, pod, '-c', 'agent', '--', '/usr/bin/node', '-v'], says],
    ['exec into the sidecar', () => ['exec', '-n', ns, pod, '-c', 'remit-sidecar', '--', '/usr/bin/node', '-v'], says],
    ['attach', () => ['attach', '-n', ns, pod, '-c', 'agent'], says],
    ['port-forward', () => ['port-forward', '-n', ns, pod, ':7481'], says],
    ['proxy', () => ['get', '--raw', `/api/v1/namespaces/${ns}/pods/${pod}:7481/proxy/readyz`], /refused/],
    [
      'an ephemeral container',
      () => [
        ...['debug', '-n', ns, pod, '--profile=restricted', '--image=remit.local/demo-agent:dev'],
        ...['--', '/usr/bin/node', '-v'],
      ],
      /ephemeral/i,
    ],
    [
      'resize',
      () => [
        ...['patch', 'pod', pod, '-n', ns, '--subresource', 'resize', '-p'],
        JSON.stringify({ spec: { containers: [{ name: 'agent', resources: { requests: { cpu: '11m' } } }] } }),
      ],
      /refused|forbidden/i,
    ],
    ['another image', () => ['set', 'image', '-n', ns, `pod/${pod}`, 'agent=remit.local/demo-billing:dev'], /images/],
    ['another label', () => ['label', 'pod', pod, '-n', ns, '--overwrite', 'remit.dev/agent=x'], /label/],
    ["a token of the agent's", () => ['create', 'token', pod, '-n', ns, '--audience', 'remit-ledger'], /token/],
  ])('%s', async (_, args, message) => {
    for (const as of [EDITOR, undefined]) {
      const { code, err } = await kubectl(args(), { as, timeoutMs: 15_000 })
      expect(err).toMatch(message)
      expect(code).not.toBe(0)
    }
  })
})

test('a remit is written by the operator alone', async () => {
  const patch = JSON.stringify({ spec: { remit: { rules: [] } } })
  for (const as of [EDITOR, undefined]) {
    const { code, err } = await kubectl(['patch', 'agentremit', 'mine', '-n', ns, '--type', 'merge', '-p', patch], {
      as,
    })
    expect(code).not.toBe(0)
    expect(err).toMatch(/forbidden/i)
  }
})

test('receipts are read by who may read that namespace, and by nobody else', async () => {
  const [intent] = await eventually(
    async () => {
      const found = intentsIn(await receiptsOf(other, 'theirs'))
      return found.length ? found : undefined
    },
    { timeoutMs: 30_000, what: 'a receipt of the other team' },
  )
  await eventually(async () => (await ok(['get', 'receipts', '-n', ns], { as: READER })).includes('mine'))
  const name = receiptName(intent!.envelope)
  for (const args of [
    ['get', 'receipts', '-n', other],
    ['get', 'receipts', name, '-n', other],
    ['get', 'receipts', '--all-namespaces'],
    ['get', 'receipts', '-n', other, '--watch-only', '--request-timeout=3s'],
  ]) {
    const { code, out, err } = await kubectl(args, { as: READER, timeoutMs: 15_000 })
    expect(err).toMatch(/forbidden/i)
    expect(code).not.toBe(0)
    expect(out + err).not.toContain('INV-1007')
  }
  const there = await kubectl(['get', 'receipts', name, '-n', ns], { as: READER })
  expect(there.code).not.toBe(0)
  expect((await kubectl(['get', 'receipts', '-n', ns], { as: 'stranger@corp.example' })).err).toMatch(/forbidden/i)
})
