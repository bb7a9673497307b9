import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentRemit } from '../../lib/api/gen/types.ts'
import { find, get, list, mergePatch, remove, update } from '../../lib/kube/objects.ts'
import {
  agentIdentities,
  agentRemits,
  type NetworkPolicy,
  namespaces,
  networkPolicies,
  pods,
  type Resource,
  type ServiceAccount,
  serviceAccounts,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { eventually } from '../harness/eventually.ts'
import { agentNow, podOf, waitCondition, waitLine, waitReady } from './support/agents.ts'
import { agentOf, applyPayments } from './support/company.ts'
import { config } from './support/config.ts'
import { apply, kubectl, ok } from './support/kubectl.ts'
import { IDLE } from './support/probe.ts'
import { chainFaults, receiptsOf, resultsIn } from './support/receipts.ts'
import { client, dropNamespaces, makeNamespace } from './support/world.ts'

let ns: string
let doomed: string
const steps = [{ server: 'billing', tool: 'get_invoice', arguments: { invoice_id: 'INV-1007' } }]

beforeAll(async () => {
  ns = await makeNamespace('heal')
  await applyPayments(ns)
  await apply(agentOf({ name: 'bot', namespace: ns, steps }))
  doomed = await makeNamespace('doomed')
  await applyPayments(doomed)
  await apply(agentOf({ name: 'bot', namespace: doomed, steps }))
  await Promise.all([waitReady(ns, 'bot'), waitReady(doomed, 'bot')])
  // Kubernetes takes its time over a namespace; the last test looks what has become of it.
  await remove(client, namespaces, { name: doomed })
}, 180_000)
afterAll(() => dropNamespaces(ns))

/** Only the operator's own account may touch what is an agent's: what it would be like if somebody else got through. */
const behindItsBack = { headers: { 'impersonate-user': 'system:serviceaccount:remit-system:remit-operator' } }

const target = () => ({ namespace: ns, name: 'agent-bot' })
const podUID = async () => (await podOf(ns, 'bot'))?.metadata.uid

/** Waits for a running pod that is not the one before. */
const anotherPod = (before: string | undefined) =>
  eventually(
    async () => {
      const pod = await podOf(ns, 'bot')
      return pod?.metadata.uid !== before && pod?.status?.phase === 'Running' && !pod.metadata.deletionTimestamp
        ? pod
        : undefined
    },
    { timeoutMs: 60_000, everyMs: 200, what: 'the next pod' },
  )

/** Fences that hold the agent's pod now. */
const fences = async () => {
  const id = (await agentNow(ns, 'bot')).metadata.uid
  const { items } = await list(client, networkPolicies, { namespace: ns })
  return items.filter(({ spec }) => spec?.podSelector?.matchLabels?.['remit.dev/agent-id'] === id)
}

describe('what is changed behind its back is healed', () => {
  test('a NetworkPolicy that was opened', async () => {
    const before = await get(client, networkPolicies, target())
    await mergePatch<NetworkPolicy>(
      client,
      networkPolicies,
      target(),
      { spec: { ingress: [{}], egress: [{}] } },
      behindItsBack,
    )
    await eventually(async () => {
      const { spec } = await get(client, networkPolicies, target())
      return JSON.stringify(spec) === JSON.stringify(before.spec)
    })
  })

  test('a NetworkPolicy that was deleted, without a moment in which the pod had none', async () => {
    const { uid } = (await get(client, networkPolicies, target())).metadata
    let unfenced = 0
    let watching = true
    const watch = (async () => {
      while (watching) if ((await fences()).length === 0) unfenced++
    })()
    watch.catch(() => {})
    try {
      await remove(client, networkPolicies, target(), behindItsBack)
      await eventually(async () => {
        const now = await find(client, networkPolicies, target())
        return now && now.metadata.uid !== uid && !now.metadata.deletionTimestamp && (await fences()).length === 1
      })
    } finally {
      watching = false
    }
    await watch
    expect(unfenced).toBe(0)
  })

  test('a ServiceAccount whose tokens somebody would have mounted', async () => {
    const mounted = { automountServiceAccountToken: true }
    await mergePatch<ServiceAccount>(client, serviceAccounts, target(), mounted, behindItsBack)
    await eventually(async () => (await get(client, serviceAccounts, target())).automountServiceAccountToken === false)
  })

  test('a ServiceAccount that was deleted: its pod, whose tokens died with it, is made again', async () => {
    const before = await podUID()
    const { uid } = (await get(client, serviceAccounts, target())).metadata
    await remove(client, serviceAccounts, target(), behindItsBack)
    await anotherPod(before)
    expect((await get(client, serviceAccounts, target())).metadata.uid).not.toBe(uid)
    await waitReady(ns, 'bot')
  })

  test('a pod that was deleted', async () => {
    const before = await podUID()
    await remove(client, pods, target(), { gracePeriodSeconds: 0 })
    await anotherPod(before)
    await waitReady(ns, 'bot')
    await waitLine(ns, 'bot', /done billing\/get_invoice/)
  })

  test('an AgentRemit that was deleted, whose generation does not go back', async () => {
    const kind = agentRemits as Resource<AgentRemit & KubeObject>
    const read = () => get(client, kind, { namespace: ns, name: 'bot' })
    const before = (await read()).spec.remit as unknown as { generation: number }
    await remove(client, agentRemits, { namespace: ns, name: 'bot' }, behindItsBack)
    const after = await eventually(async () => {
      const remit = await find(client, kind, { namespace: ns, name: 'bot' })
      return remit?.spec.remit as unknown as { generation: number } | undefined
    })
    expect(after.generation).toBeGreaterThan(before.generation)
  })

  test('an AgentRemit that somebody rewrote with the operator’s rights, but without its key', async () => {
    const kind = agentRemits as Resource<AgentRemit & KubeObject>
    const before = await get(client, kind, { namespace: ns, name: 'bot' })
    const rules = (remit: AgentRemit) => JSON.stringify((remit.spec.remit as { rules?: unknown }).rules)
    const forged = structuredClone(before)
    Object.assign(forged.spec.remit, { rules: [] })
    const written = await update(client, kind, forged, behindItsBack)
    expect(rules(written)).toBe('[]')
    await eventually(async () => rules(await get(client, kind, { namespace: ns, name: 'bot' })) === rules(before), {
      what: 'the remit as compiled',
    })
  })
})

test('an administrator who tries is told what to change instead', async () => {
  for (const [kind, says] of [
    ['networkpolicy', /change or delete that instead/],
    ['serviceaccount', /change or delete that instead/],
  ] as const) {
    const { code, err } = await kubectl(['delete', kind, 'agent-bot', '-n', ns])
    expect(err).toMatch(says)
    expect(code).not.toBe(0)
  }
})

describe('its life is what its AgentIdentity says', () => {
  const patchAgent = (name: string, spec: object) =>
    mergePatch(client, agentIdentities, { namespace: ns, name }, { spec })

  test('suspended it has no pod, and goes on when it is not', async () => {
    await patchAgent('bot', { suspended: true })
    await waitCondition(ns, 'bot', { status: 'False', reason: 'AgentSuspended' })
    await eventually(async () => (await podOf(ns, 'bot')) === undefined, { timeoutMs: 45_000 })
    await patchAgent('bot', { suspended: false })
    await waitReady(ns, 'bot')
  })

  test('after its time it has no pod', async () => {
    const expiresAt = new Date(Date.now() + 8_000).toISOString().replace(/\.\d+Z/, 'Z')
    await apply(agentOf({ name: 'brief', namespace: ns, program: IDLE, spec: { expiresAt } }))
    await waitCondition(ns, 'brief', { status: 'False', reason: 'RemitExpired' })
    await eventually(async () => (await podOf(ns, 'brief')) === undefined, { timeoutMs: 45_000 })
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt))
  })

  test('an agent that has finished is not started again', async () => {
    await apply(agentOf({ name: 'once', namespace: ns, steps, everyMs: 0 }))
    await waitCondition(ns, 'once', { status: 'False', reason: 'Completed' })
    const uid = (await podOf(ns, 'once'))?.metadata.uid
    // All it did was handed over before its pod ended.
    const receipts = await receiptsOf(ns, 'once')
    expect(chainFaults(receipts)).toEqual([])
    expect(resultsIn(receipts).map(({ body }) => body.outcome)).toEqual(['ok'])
    // Another change of the world makes the operator look again.
    await mergePatch(
      client,
      agentIdentities,
      { namespace: ns, name: 'once' },
      { metadata: { labels: { look: 'again' } } },
    )
    await eventually(async () => (await agentNow(ns, 'once')).metadata.labels?.look === 'again')
    expect((await podOf(ns, 'once'))?.metadata.uid).toBe(uid)
    expect((await agentNow(ns, 'once')).status).toMatchObject({ phase: 'Completed' })
  })

  test('an agent that keeps failing is started again and again, and counted', async () => {
    await apply(agentOf({ name: 'falls', namespace: ns, program: 'process.exit(3)' }))
    const told = await waitCondition(ns, 'falls', { status: 'False', reason: 'AgentFailing' })
    expect(told.status?.conditions?.find(({ type }) => type === 'Ready')?.message).toMatch(/exit code 3/)
    await eventually(async () => ((await agentNow(ns, 'falls')).status?.restarts ?? 0) >= 1, {
      timeoutMs: 45_000,
      what: 'a restart counted',
    })
  })

  test.each<[string, string, object, string, RegExp]>([
    [
      'an image that cannot be pulled',
      'unseen',
      { image: 'remit.local/no-such:1' },
      'ImageCannotBePulled',
      /no-such:1/,
    ],
    ['a RuntimeClass that does not exist', 'boxed', { runtimeClassName: 'no-such' }, 'SandboxRefused', /no-such/],
  ])('%s is said in its conditions', async (_, name, workload, reason, says) => {
    await apply(agentOf({ name, namespace: ns, program: IDLE, workload }))
    const agent = await waitCondition(ns, name, { status: 'False', reason }, 60_000)
    for (const type of ['Ready', 'SandboxReady'])
      expect(agent.status?.conditions?.find((each) => each.type === type)).toMatchObject({
        reason,
        message: expect.stringMatching(says),
      })
  })

  test('a RuntimeClass that exists is used', async () => {
    // The local node has a second handler that maps to runc; others have runc's own.
    const handler = config.provider === 'local' ? 'remit-test' : 'runc'
    await apply({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'e2e-other' }, handler })
    try {
      await apply(agentOf({ name: 'boxed', namespace: ns, program: IDLE, workload: { runtimeClassName: 'e2e-other' } }))
      await waitReady(ns, 'boxed')
      expect((await podOf(ns, 'boxed'))?.spec?.runtimeClassName).toBe('e2e-other')
    } finally {
      await ok(['delete', 'runtimeclass', 'e2e-other', '--ignore-not-found'])
    }
  })
})

describe('deletion', () => {
  const leftOf = async (namespace: string, agent: string): Promise<string[]> => {
    const selector = { namespace, labelSelector: `remit.dev/agent=${agent}` }
    const kinds: Resource[] = [pods, serviceAccounts, networkPolicies, agentRemits] as Resource[]
    const found = await Promise.all(kinds.map((kind) => list(client, kind, selector)))
    return found.flatMap(({ items }) => items.map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  }

  test('of an agent leaves nothing of it', async () => {
    expect((await leftOf(ns, 'bot')).length).toBe(4)
    await ok(['delete', 'agent', 'bot', '-n', ns, '--timeout=45s'])
    await eventually(async () => (await leftOf(ns, 'bot')).length === 0, { timeoutMs: 15_000 })
  })

  test('of a namespace with a running agent left nothing: it is gone', async () => {
    await eventually(async () => (await find(client, namespaces, { name: doomed })) === undefined, {
      timeoutMs: 90_000,
      everyMs: 500,
      what: 'the namespace gone',
    })
  })
})
