import { request as httpsRequest } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentIdentity } from '../../lib/api/gen/types.ts'
import type { Client } from '../../lib/kube/client.ts'
import { create, get, mergePatch, update } from '../../lib/kube/objects.ts'
import {
  agentIdentities,
  agentPolicies,
  clusterAgentPolicies,
  configMaps,
  deployments,
  ownerGroups,
  pods,
  resource,
  serviceAccounts,
  typed,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { createNamespace } from '../harness/world.ts'
import { SIDECAR_DIGEST, SYSTEM_NAMESPACE } from './chart.ts'
import { agentIdentity, agentPolicy, bareAgentPod, nobody, ownerGroup, POD } from './fixtures.ts'
import { type Installation, startInstallation } from './installation.ts'

const NS = 'payments'
const ANA = { name: 'ana', groups: ['editors'] }
const agents = typed<AgentIdentity & KubeObject>(agentIdentities)
let installed: Installation
let api: Apiserver
let admin: Client
let ana: Client
let operator: Client

beforeAll(async () => {
  installed = await startInstallation()
  api = installed.api
  admin = api.client
  await createNamespace(admin, NS)
  for (const role of ['remit-edit', 'remit-view', 'system:aggregate-to-edit', 'system:aggregate-to-view'])
    await create(admin, resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'), {
      metadata: { name: role.replaceAll(':', '-'), namespace: NS },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: ANA.name }],
    } as KubeObject)
  ana = await api.clientAs(ANA)
  operator = await api.clientAs({
    name: `system:serviceaccount:${SYSTEM_NAMESPACE}:remit-operator`,
    groups: ['system:masters'],
  })
}, 120_000)
afterAll(() => installed?.stop())

const message = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'it was accepted',
    (error) => error.message,
  )

describe('an agent', () => {
  test('is refused until its policy and owner group exist, with all that is missing', async () => {
    const text = await message(create(admin, agents, agentIdentity(NS) as unknown as AgentIdentity & KubeObject))
    expect(text).toContain(
      'spec.policyRefs[0].name: "billing": The policy billing does not exist in namespace payments. Create it',
    )
    expect(text).toContain(
      'spec.ownerRef.name: "billing-team": The owner group billing-team does not exist in namespace payments. Create it',
    )
  })

  test('is accepted right after them, as from one file, and is stamped with who asked', async () => {
    await create(admin, agentPolicies, agentPolicy(NS))
    await create(admin, ownerGroups, ownerGroup(NS))
    const made = await create(admin, agents, agentIdentity(NS) as unknown as AgentIdentity & KubeObject)
    expect(made.spec.createdBy).toMatchObject({ username: 'admin', groups: ['system:masters', 'system:authenticated'] })
    expect(Math.abs(Date.parse(made.spec.createdBy.at) - Date.parse(made.metadata.creationTimestamp!))).toBeLessThan(
      5_000,
    )
    expect(made.spec.servers![0]!.credentialHeader).toBe('Authorization')
  })

  test('keeps its stamp through an update that leaves it out or forges it', async () => {
    const before = await get(admin, agents, { namespace: NS, name: 'billing-bot' })
    const { createdBy, ...rest } = before.spec
    const without = await update(admin, agents, { ...before, spec: { ...rest, purpose: 'a' } } as typeof before)
    expect(without.spec.createdBy).toEqual(createdBy)
    const forged = await mergePatch(
      ana,
      agents,
      { namespace: NS, name: 'billing-bot' },
      { spec: { purpose: 'b', createdBy: { username: 'bo' } } },
    )
    expect(forged.spec).toMatchObject({ purpose: 'b', createdBy })
  })

  test('is refused for an editor who may not use the policy, and accepted once the role is bound', async () => {
    const another = () =>
      create(ana, agents, agentIdentity(NS, undefined, 'second') as unknown as AgentIdentity & KubeObject)
    expect(await message(another())).toContain(
      'spec.policyRefs[0].name: "billing": ana may not use the policy billing in namespace payments. Grant the verb "use" on agentpolicies/billing',
    )
    const group = 'rbac.authorization.k8s.io'
    await create(admin, resource(`${group}/v1`, 'Role', 'roles'), {
      metadata: { name: 'use-billing', namespace: NS },
      rules: [{ apiGroups: ['remit.dev'], resources: ['agentpolicies'], resourceNames: ['billing'], verbs: ['use'] }],
    } as KubeObject)
    await create(admin, resource(`${group}/v1`, 'RoleBinding', 'rolebindings'), {
      metadata: { name: 'use-billing', namespace: NS },
      roleRef: { apiGroup: group, kind: 'Role', name: 'use-billing' },
      subjects: [{ apiGroup: group, kind: 'User', name: 'ana' }],
    } as KubeObject)
    const made = await eventually(another)
    expect(made.spec.createdBy).toMatchObject({ username: 'ana', groups: ['editors', 'system:authenticated'] })
  })

  test('sends no Secret elsewhere for somebody who may not read it, and may still be stopped by them', async () => {
    await create(admin, resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'), {
      metadata: { name: 'runs-agents-only', namespace: NS },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'remit-edit' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'cy' }],
    } as KubeObject)
    const cy = await api.clientAs({ name: 'cy' })
    const change = (spec: object, by = cy) => mergePatch(by, agents, { namespace: NS, name: 'billing-bot' }, { spec })
    const elsewhere = [
      {
        name: 'billing',
        url: 'https://192.0.2.66/mcp',
        credentialRef: { name: 'billing-token', key: 'token' },
      },
    ]
    expect(await message(change({ servers: elsewhere }))).toContain(
      'spec.servers[0].credentialRef.name: "billing-token": cy may not read the Secret billing-token in namespace payments',
    )
    expect((await change({ suspended: true })).spec).toMatchObject({ suspended: true })
    expect((await change({ servers: elsewhere }, ana)).spec.servers?.[0]).toMatchObject({ url: elsewhere[0]?.url })
  })
})

describe('invalid YAML says the field, the value and the fix', () => {
  test('a cluster policy that gives', async () => {
    const policy = { metadata: { name: 'giving' }, spec: agentPolicy(NS).spec } as KubeObject
    expect(await message(create(admin, clusterAgentPolicies, policy))).toMatch(
      /spec\.tools\[0\]\.effect: "Allow": .*only restricts/,
    )
  })
  test('an owner group in which nobody answers', async () => {
    expect(await message(create(admin, ownerGroups, nobody(NS)))).toMatch(
      /spec\.onCall: .*Nobody is on call.*Give it an owner/,
    )
  })
})

describe('a pod', () => {
  test('of the operator gets its sidecar with the credentials of its agent', async () => {
    const agent = await get(admin, agents, { namespace: NS, name: 'billing-bot' })
    await create(operator, serviceAccounts, { metadata: { name: POD, namespace: NS } })
    const pod = await create(operator, pods, bareAgentPod(agent))
    expect(pod.spec!.initContainers!.map((c) => [c.name, c.image, c.restartPolicy])).toEqual([
      ['remit-sidecar', `registry.example/remit/sidecar@${SIDECAR_DIGEST}`, 'Always'],
    ])
    expect(pod.spec!.containers.map((c) => c.name)).toEqual(['agent'])
    const credentials = pod.spec!.volumes!.find((v) => v.name === 'remit-credentials')!
    expect(credentials.projected!.sources![0]!.secret).toMatchObject({
      name: 'billing-token',
      items: [{ key: 'token', path: 'server-billing' }],
    })
  })
  test('for an agent made again under the same name is refused', async () => {
    const agent = await get(admin, agents, { namespace: NS, name: 'second' })
    const stale = bareAgentPod({ ...agent, metadata: { ...agent.metadata, uid: 'another' } })
    await create(operator, serviceAccounts, { metadata: { name: 'agent-second', namespace: NS } })
    expect(await message(create(operator, pods, stale))).toMatch(/AgentIdentity second with this UID does not exist/)
  })
})

test('a Deployment under the name of an agent is refused with the AgentIdentity to make instead', async () => {
  const deployment = {
    metadata: { name: 'agent-other', namespace: NS },
    spec: {
      selector: { matchLabels: { app: 'x' } },
      template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'main', image: 'bot:1' }] } },
    },
  } as KubeObject as never
  expect(await message(create(ana, deployments, deployment))).toMatch(
    /Names agent-\* are Remit's own[\s\S]*kind: AgentIdentity[\s\S]*bot:1/,
  )
})

describe('on a bad day', () => {
  const post = (body: string, path = '/mutate-agentidentity', type = 'application/json') =>
    new Promise<number>((resolve, reject) => {
      const options = {
        method: 'POST',
        host: '127.0.0.1',
        port: installed.port,
        path,
        ca: api.ca,
        headers: { 'content-type': type },
      }
      httpsRequest(options, (response) => {
        response.resume()
        resolve(response.statusCode!)
      })
        .once('error', reject)
        .end(body)
    })
  test.each<[string, string, number, string?, string?]>([
    ['nonsense', 'nonsense', 400],
    ['a deep nest', '['.repeat(200_000), 400],
    ['too much', `"${'x'.repeat(9 * 1024 * 1024)}"`, 413],
    ['another type', '{}', 400, undefined, 'text/plain'],
    ['another path', '{}', 404, '/elsewhere'],
  ])('%s is an error, never an allowance', async (_, body, status, path, type) => {
    expect(await post(body, path, type)).toBe(status)
  })

  test('kill -9: agents are refused while it is gone, other work goes on, and it recovers', async () => {
    installed.webhook.signal('SIGKILL')
    await installed.webhook.exited
    const agent = agentIdentity(NS, undefined, 'third') as unknown as AgentIdentity & KubeObject
    expect(await message(create(admin, agents, agent))).toMatch(
      /failed calling webhook "agentidentity\.mutate\.remit\.dev"/,
    )
    // What only touches metadata does not wait for the webhook: the operator can let go of what is deleted.
    await mergePatch(
      operator,
      agents,
      { namespace: NS, name: 'second' },
      { metadata: { annotations: { seen: 'yes' } } },
    )
    await create(ana, configMaps, { metadata: { name: 'unrelated', namespace: NS } })
    await installed.restartWebhook()
    await create(admin, agents, agent)
  })

  test('SIGTERM ends it cleanly', async () => {
    installed.webhook.signal('SIGTERM')
    expect(await installed.webhook.exited).toBe(0)
  })
})
