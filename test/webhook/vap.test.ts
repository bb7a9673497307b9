import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentIdentity } from '../../lib/api/gen/types.ts'
import type { Client } from '../../lib/kube/client.ts'
import { create, get, list, mergePatch, remove } from '../../lib/kube/objects.ts'
import {
  agentIdentities,
  agentPolicies,
  agentRemits,
  deployments,
  namespaces,
  networkPolicies,
  type Pod,
  pods,
  resource,
  secrets,
  serviceAccounts,
  services,
} from '../../lib/kube/resources.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type Apiserver, startApiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { createNamespace } from '../harness/world.ts'
import { createOf, PREVIOUS_DIGEST, renderChart, SYSTEM_NAMESPACE } from './chart.ts'
import { AGENT, agentIdentity, agentPolicy, injectedPod, POD } from './fixtures.ts'

// Everything here runs without the webhook: only the API server and the chart's policies.
const NS = 'payments'
const PLAIN = 'no-agents-here'
const ANA = { name: 'ana', groups: ['payments-editors'] }
const ADMISSION = 'admissionregistration.k8s.io/v1'
const roleBindings = resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings')

let api: Apiserver
let admin: Client
let operator: Client
let ana: Client
let agent: AgentIdentity

const bind = (role: string, namespace: string) =>
  create(admin, roleBindings, {
    metadata: { name: role.replaceAll(':', '-'), namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: ANA.name }],
  } as KubeObject)
const stampOf = (user: { name: string; groups?: string[] }, at = Date.now()) => ({
  username: user.name,
  groups: [...(user.groups ?? []), 'system:authenticated'],
  at: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
})
const dry = { query: { dryRun: 'All' } }
const dryDelete = (client: Client, path: string) => client.request('DELETE', path, { body: { dryRun: ['All'] } })
const refused = async (attempt: Promise<unknown>, policy: string, words: string | RegExp) => {
  const error = (await attempt.then(
    () => new Error('it was accepted'),
    (e) => e,
  )) as Error & { code?: number }
  expect(error.message).toContain(`ValidatingAdmissionPolicy '${policy}'`)
  expect(error.message).toMatch(words)
  expect(error.code).toBe(403)
  return true
}

beforeAll(async () => {
  api = await startApiserver({ crds: true })
  admin = api.client
  operator = await api.clientAs({
    name: `system:serviceaccount:${SYSTEM_NAMESPACE}:remit-operator`,
    groups: ['system:serviceaccounts', 'system:masters'],
  })
  ana = await api.clientAs(ANA)
  for (const namespace of [SYSTEM_NAMESPACE, NS, PLAIN]) await createNamespace(admin, namespace)
  const chart = await renderChart()
  await createOf(admin, chart, [
    'ConfigMap',
    'ClusterRole',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
  ])
  // What the cluster's aggregated role `edit` is made of; the controller that puts it together is not here.
  for (const namespace of [NS, PLAIN, SYSTEM_NAMESPACE])
    for (const role of ['system:aggregate-to-edit', 'system:aggregate-to-view', 'remit-edit', 'remit-view'])
      await bind(role, namespace)
  await create(operator, serviceAccounts, { metadata: { name: POD, namespace: NS } })
  agent = (await create(ana, agentIdentities, agentIdentity(NS, stampOf(ANA)) as KubeObject)) as AgentIdentity
  const every = (
    await list(
      admin,
      resource(
        'admissionregistration.k8s.io/v1',
        'ValidatingAdmissionPolicy',
        'validatingadmissionpolicies',
        'Cluster',
      ),
    )
  ).items
  expect(every.length).toBeGreaterThan(8)
  // Policies take about a second to become active, those with a kind as parameter longer; each is waited for by what it refuses.
  await eventually(() => refused(create(ana, pods, plainPod('agent-x'), dry), 'remit-reserved-pods', /own/), {
    timeoutMs: 30_000,
  })
  await eventually(
    () => refused(create(operator, pods, without('initContainers'), dry), 'remit-agent-pods', /sidecar/),
    { timeoutMs: 30_000 },
  )
  await eventually(() => refused(create(ana, networkPolicies, opening(), dry), 'remit-network-policies', /Exclude/), {
    timeoutMs: 30_000,
  })
  await create(operator, pods, injectedPod(agent))
}, 120_000)
afterAll(() => api?.stop())

const plainPod = (name: string, fields: { labels?: Record<string, string>; spec?: object } = {}): Pod =>
  ({
    metadata: { name, namespace: NS, labels: fields.labels ?? {} },
    spec: { containers: [{ name: 'main', image: 'x' }], ...fields.spec },
  }) as Pod
// biome-ignore lint/suspicious/noExplicitAny: what the tests do to a pod is what its types forbid
type Loose = Record<string, any>
const changed = (change: (pod: { metadata: Loose; spec: Loose }) => void): Pod => {
  const pod = structuredClone(injectedPod(agent)) as unknown as { metadata: Loose; spec: Loose }
  change(pod)
  return pod as unknown as Pod
}
const without = (field: string) => changed((pod) => delete pod.spec[field])
const opening = (podSelector: object = {}, namespace = NS, labels: Record<string, string> = {}) =>
  ({ metadata: { name: 'open', namespace, labels }, spec: { podSelector, egress: [{}] } }) as KubeObject as never

test("the operator's own pod with the sidecar is accepted, also with what clusters add", async () => {
  await create(operator, pods, injectedPod(agent), { query: { dryRun: 'All' } }).catch((e) =>
    expect(e.reason).toBe('AlreadyExists'),
  )
  const stored = await get(admin, pods, { namespace: NS, name: POD })
  expect(stored.spec!.initContainers!.map((c) => c.name)).toEqual(['remit-sidecar'])
})

test('the operator may still use the sidecar digest from before an upgrade', async () => {
  const error = await create(
    operator,
    pods,
    injectedPod(agent, `registry.example/remit/sidecar@${PREVIOUS_DIGEST}`),
    dry,
  ).catch((e) => e)
  expect(error.reason).toBe('AlreadyExists')
})

describe("the closed shape of an agent's pod", () => {
  const agentContainer = (pod: { spec: Loose }) => pod.spec.containers[0]
  const sidecar = (pod: { spec: Loose }) => pod.spec.initContainers[0]
  const table: [what: string, words: RegExp, change: (pod: { metadata: Loose; spec: Loose }) => void][] = [
    ['no sidecar', /remit-sidecar/, (p) => delete p.spec.initContainers],
    [
      'a sidecar that runs once',
      /native sidecar/,
      (p) => ['restartPolicy', 'startupProbe', 'livenessProbe'].map((f) => delete sidecar(p)[f]),
    ],
    ['a second container', /no others/, (p) => p.spec.containers.push({ ...agentContainer(p), name: 'more' })],
    [
      'another init container',
      /no others/,
      (p) => p.spec.initContainers.push({ ...sidecar(p), name: 'more', volumeMounts: [] }),
    ],
    ['a container of another name', /container agent/, (p) => (agentContainer(p).name = 'main')],
    [
      'a sidecar of another digest',
      /not one of the sidecar images/,
      (p) => (sidecar(p).image = `x@sha256:${'9'.repeat(64)}`),
    ],
    [
      'a sidecar by tag',
      /not one of the sidecar images/,
      (p) => (sidecar(p).image = 'registry.example/remit/sidecar:1'),
    ],
    ['a sidecar with a command', /as its image says/, (p) => (sidecar(p).command = ['sh'])],
    ['a sidecar with arguments', /as its image says/, (p) => (sidecar(p).args = ['--inspect'])],
    [
      'NODE_OPTIONS for the sidecar',
      /own environment/,
      (p) => sidecar(p).env.push({ name: 'NODE_OPTIONS', value: '--import=/x' }),
    ],
    [
      'a Secret in the sidecar environment',
      /own environment/,
      (p) => (sidecar(p).env[0] = { name: 'REMIT_CLUSTER', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }),
    ],
    ['envFrom for the sidecar', /own environment/, (p) => (sidecar(p).envFrom = [{ configMapRef: { name: 'x' } }])],
    [
      'a hook in the sidecar',
      /own environment/,
      (p) => (sidecar(p).lifecycle = { postStart: { exec: { command: ['x'] } } }),
    ],
    [
      'a volume more in the sidecar',
      /mounts remit-token/,
      (p) => sidecar(p).volumeMounts.push({ name: 'work', mountPath: '/app' }),
    ],
    ['the spool elsewhere', /mounts remit-token/, (p) => (sidecar(p).volumeMounts[2].mountPath = '/x')],
    [
      'the token in the agent container',
      /only the sidecar/,
      (p) => agentContainer(p).volumeMounts.push({ name: 'remit-token', mountPath: '/t' }),
    ],
    [
      'the credentials in the agent container',
      /only the sidecar/,
      (p) => agentContainer(p).volumeMounts.push({ name: 'remit-credentials', mountPath: '/c' }),
    ],
    [
      'a Secret in the agent environment',
      /may not name Secrets/,
      (p) => agentContainer(p).env.push({ name: 'K', valueFrom: { secretKeyRef: { name: 'a', key: 'b' } } }),
    ],
    ['envFrom a Secret', /may not name Secrets/, (p) => (agentContainer(p).envFrom = [{ secretRef: { name: 'a' } }])],
    ['a Secret volume', /spec.volumes/, (p) => p.spec.volumes.push({ name: 's', secret: { secretName: 'a' } })],
    ['a hostPath volume', /spec.volumes/, (p) => p.spec.volumes.push({ name: 'h', hostPath: { path: '/' } })],
    [
      'a projected token of its own',
      /spec.volumes/,
      (p) => p.spec.volumes.push({ name: 't', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }),
    ],
    [
      'a token for another audience',
      /spec.volumes/,
      (p) =>
        (p.spec.volumes.find((v: Loose) => v.name === 'remit-token').projected.sources[0].serviceAccountToken.audience =
          'x'),
    ],
    ['a fourth remit- volume', /spec.volumes/, (p) => p.spec.volumes.push({ name: 'remit-more', emptyDir: {} })],
    [
      'privileged',
      /securityContext/,
      (p) => Object.assign(agentContainer(p).securityContext, { privileged: true, allowPrivilegeEscalation: true }),
    ],
    [
      'privilege escalation',
      /securityContext/,
      (p) => (agentContainer(p).securityContext.allowPrivilegeEscalation = true),
    ],
    [
      'a capability',
      /securityContext/,
      (p) => (agentContainer(p).securityContext.capabilities = { drop: ['ALL'], add: ['NET_RAW'] }),
    ],
    ['capabilities kept', /securityContext/, (p) => delete agentContainer(p).securityContext.capabilities],
    [
      'no seccomp',
      /securityContext/,
      (p) => (agentContainer(p).securityContext.seccompProfile = { type: 'Unconfined' }),
    ],
    ['root', /securityContext/, (p) => Object.assign(agentContainer(p).securityContext, { runAsUser: 0 })],
    ['no security context', /securityContext/, (p) => delete agentContainer(p).securityContext],
    [
      'a writable root for the sidecar',
      /readOnlyRootFilesystem/,
      (p) => (sidecar(p).securityContext.readOnlyRootFilesystem = false),
    ],
    ['the host network', /shares nothing/, (p) => (p.spec.hostNetwork = true)],
    ['the host processes', /shares nothing/, (p) => (p.spec.hostPID = true)],
    ['the host IPC', /shares nothing/, (p) => (p.spec.hostIPC = true)],
    ['shared processes', /shares nothing/, (p) => (p.spec.shareProcessNamespace = true)],
    ['names for addresses', /shares nothing/, (p) => (p.spec.hostAliases = [{ ip: '10.0.0.1', hostnames: ['x'] }])],
    ['a node of its choice', /shares nothing/, (p) => (p.spec.nodeName = 'n1')],
    [
      'a sysctl',
      /shares nothing/,
      (p) => (p.spec.securityContext.sysctls = [{ name: 'net.ipv4.ip_forward', value: '1' }]),
    ],
    ['a port', /nothing reaches into it/, (p) => (agentContainer(p).ports = [{ containerPort: 80 }])],
    [
      'a hook in the agent container',
      /nothing reaches into it/,
      (p) => (agentContainer(p).lifecycle = { preStop: { exec: { command: ['x'] } } }),
    ],
    ['the token mounted by default', /automount/, (p) => (p.spec.automountServiceAccountToken = true)],
    ['DNS', /dnsPolicy/, (p) => (p.spec.dnsPolicy = 'ClusterFirst')],
    ['a label other policies could select', /metadata.labels/, (p) => (p.metadata.labels.app = 'web')],
  ]
  test.each(table)('%s is refused', async (_, words, change) => {
    await refused(create(operator, pods, changed(change), dry), 'remit-agent-pods', words)
  })

  const open: [string, (pod: { metadata: Loose; spec: Loose }) => void][] = [
    ['a toleration', (p) => p.spec.tolerations.push({ key: 'a', operator: 'Exists' })],
    ['a node selector', (p) => (p.spec.nodeSelector = { zone: 'a' })],
    [
      'an affinity',
      (p) =>
        (p.spec.affinity = {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
            },
          },
        }),
    ],
    ['an annotation', (p) => (p.metadata.annotations['example.com/x'] = 'y')],
    ['a claim', (p) => p.spec.volumes.push({ name: 'data', persistentVolumeClaim: { claimName: 'd' } })],
  ]
  test.each(open)('%s is accepted', async (_, change) => {
    const error = await create(operator, pods, changed(change), dry).catch((e) => e)
    // Past admission only the name is in the way: the pod is there already.
    expect(error.message).toMatch(/already exists/)
  })
  test('an agent without credentials has an empty credentials volume, which is accepted', async () => {
    const bare = structuredClone(agent)
    delete bare.spec.servers
    const error = await create(operator, pods, injectedPod(bare), dry).catch((e) => e)
    expect(error.message).toMatch(/already exists/)
  })
})

describe("a namespace's editor cannot", () => {
  const table: [what: string, policy: string, words: RegExp, attempt: () => Promise<unknown>][] = [
    [
      'create a pod agent-*',
      'remit-reserved-pods',
      /Make an AgentIdentity/,
      () => create(ana, pods, plainPod('agent-other')),
    ],
    [
      "run a pod under an agent's ServiceAccount",
      'remit-reserved-pods',
      /agent-billing-bot/,
      () => create(ana, pods, plainPod('mine', { spec: { serviceAccountName: POD } })),
    ],
    [
      "create a pod with an agent's label",
      'remit-reserved-pods',
      /own/,
      () => create(ana, pods, plainPod('mine', { labels: { 'remit.dev/agent': AGENT } })),
    ],
    [
      "create a pod with an agent's ID",
      'remit-reserved-pods',
      /own/,
      () => create(ana, pods, plainPod('mine', { labels: { 'remit.dev/agent-id': 'x' } })),
    ],
    [
      'create the very pod the operator would',
      'remit-reserved-pods',
      /own/,
      () => create(ana, pods, injectedPod(agent), dry),
    ],
    ["change the agent's image", 'remit-agent-pod-updates', /images/, () => replaceImage('containers')],
    ["change the sidecar's image", 'remit-agent-pod-updates', /images/, () => replaceImage('initContainers')],
    [
      "relabel an agent's pod",
      'remit-agent-pod-updates',
      /labels/,
      () => mergePatch(ana, pods, { namespace: NS, name: POD }, { metadata: { labels: { app: 'web' } } }),
    ],
    [
      "take the label off an agent's pod",
      'remit-agent-pod-updates',
      /labels/,
      () => mergePatch(ana, pods, { namespace: NS, name: POD }, { metadata: { labels: { 'remit.dev/agent': null } } }),
    ],
    [
      "disown an agent's pod",
      'remit-agent-pod-updates',
      /belongs/,
      () => mergePatch(ana, pods, { namespace: NS, name: POD }, { metadata: { ownerReferences: null } }),
    ],
    [
      'make a pod of its own an agent by label',
      'remit-agent-pod-updates',
      /labels/,
      () =>
        mergePatch(ana, pods, { namespace: NS, name: 'web' }, { metadata: { labels: { 'remit.dev/agent': AGENT } } }),
    ],
    [
      'add an ephemeral container',
      'remit-agent-pod-updates',
      /ephemeralcontainers/,
      () =>
        mergePatch(
          admin,
          pods,
          { namespace: NS, name: POD, subresource: 'ephemeralcontainers' },
          { spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox' }] } },
        ),
    ],
    [
      'resize',
      'remit-agent-pod-updates',
      /resize/,
      () =>
        mergePatch(
          admin,
          pods,
          { namespace: NS, name: POD, subresource: 'resize' },
          {
            spec: {
              containers: [
                { name: 'agent', image: 'registry.example/billing-bot:1', resources: { requests: { cpu: '200m' } } },
              ],
            },
          },
        ),
    ],
    [
      'exec',
      'remit-agent-pod-connect',
      /exec.*kubectl remit timeline billing-bot/,
      () => ana.text('POST', podPath('exec?command=sh&stdout=true')),
    ],
    [
      'exec, as an administrator either',
      'remit-agent-pod-connect',
      /exec/,
      () => admin.text('GET', podPath('exec?command=sh&stdout=true')),
    ],
    ['attach', 'remit-agent-pod-connect', /attach/, () => ana.text('POST', podPath('attach?stdout=true'))],
    ['port-forward', 'remit-agent-pod-connect', /portforward/, () => ana.text('POST', podPath('portforward?ports=80'))],
    ['proxy', 'remit-agent-pod-connect', /proxy/, () => admin.text('GET', podPath('proxy/livez'))],
    [
      'proxy to a named port',
      'remit-agent-pod-connect',
      /proxy/,
      () => admin.text('GET', `/api/v1/namespaces/${NS}/pods/${POD}:7481/proxy/livez`),
    ],
    [
      'proxy with a scheme before the name',
      'remit-agent-pod-connect',
      /proxy/,
      () => admin.text('GET', `/api/v1/namespaces/${NS}/pods/http:${POD}:7481/proxy/livez`),
    ],
    [
      'put a Service in front of an agent, to be proxied to it',
      'remit-agent-services',
      /spec\.selector/,
      () => create(ana, services, serviceFor({ 'remit.dev/agent': AGENT })),
    ],
    [
      'put a Service in front of all pods of a zone',
      'remit-agent-services',
      /spec\.selector/,
      () => create(ana, services, serviceFor({ 'topology.kubernetes.io/zone': 'a' })),
    ],
    [
      'make a running agent pass for one of another template',
      'remit-agent-pod-updates',
      /annotations/,
      () =>
        mergePatch(
          ana,
          pods,
          { namespace: NS, name: POD },
          { metadata: { annotations: { 'remit.dev/template': '0'.repeat(32) } } },
        ),
    ],
    [
      "run something else with the operator's account",
      'remit-operator',
      /only what is named agent-/,
      () => create(operator, pods, plainPod('anything')),
    ],
    [
      "make an account in kube-system with the operator's",
      'remit-operator',
      /nothing in .*kube-system/,
      () => create(operator, serviceAccounts, { metadata: { name: 'agent-x', namespace: 'kube-system' } }),
    ],
    [
      'let a name be generated that reads as an agent',
      'remit-reserved-pods',
      /Remit's own/,
      () =>
        create(ana, pods, {
          metadata: { generateName: 'agent-', namespace: NS },
          spec: { containers: [{ name: 'main', image: 'x' }] },
        } as never),
    ],
    ["mint an agent's token", 'remit-agent-tokens', /only to nodes/, () => mintToken(ana, POD)],
    [
      "mint an agent's token, as an administrator either",
      'remit-agent-tokens',
      /only to nodes/,
      () => mintToken(admin, POD),
    ],
    [
      'make a token Secret for an agent',
      'remit-agent-token-secrets',
      /no token Secret/,
      () => create(ana, secrets, tokenSecret(POD)),
    ],
    [
      'turn a token Secret to an agent',
      'remit-agent-token-secrets',
      /no token Secret/,
      () =>
        mergePatch(
          ana,
          secrets,
          { namespace: NS, name: 'token-default' },
          { metadata: { annotations: { 'kubernetes.io/service-account.name': POD } } },
        ),
    ],
    [
      "give an agent's ServiceAccount a cloud role",
      'remit-agent-objects',
      /serviceaccounts/,
      () =>
        mergePatch(
          ana,
          serviceAccounts,
          { namespace: NS, name: POD },
          { metadata: { annotations: { 'eks.amazonaws.com/role-arn': 'arn' } } },
        ),
    ],
    [
      "add a pull secret to an agent's ServiceAccount",
      'remit-agent-objects',
      /serviceaccounts/,
      () => mergePatch(ana, serviceAccounts, { namespace: NS, name: POD }, { imagePullSecrets: [{ name: 'x' }] }),
    ],
    [
      "delete an agent's ServiceAccount",
      'remit-agent-objects',
      /serviceaccounts/,
      () => remove(ana, serviceAccounts, { namespace: NS, name: POD }),
    ],
    [
      'create a ServiceAccount agent-*',
      'remit-agent-objects',
      /serviceaccounts/,
      () => create(ana, serviceAccounts, { metadata: { name: 'agent-new', namespace: NS } }),
    ],
    [
      "delete an agent's NetworkPolicy",
      'remit-agent-objects',
      /networkpolicies/,
      () => remove(ana, networkPolicies, { namespace: NS, name: POD }),
    ],
    [
      "widen an agent's NetworkPolicy",
      'remit-agent-objects',
      /networkpolicies/,
      () => mergePatch(ana, networkPolicies, { namespace: NS, name: POD }, { spec: { egress: [{}] } }),
    ],
    [
      "take the finalizer off an agent's NetworkPolicy",
      'remit-agent-objects',
      /networkpolicies/,
      () => mergePatch(ana, networkPolicies, { namespace: NS, name: POD }, { metadata: { finalizers: null } }),
    ],
    [
      'delete all NetworkPolicies at once',
      'remit-agent-objects',
      /networkpolicies/,
      () => ana.request('DELETE', `/apis/networking.k8s.io/v1/namespaces/${NS}/networkpolicies`),
    ],
    [
      'add a NetworkPolicy that opens every pod',
      'remit-network-policies',
      /billing-bot.*Exclude them/s,
      () => create(ana, networkPolicies, opening()),
    ],
    [
      "add a NetworkPolicy for the agent's label",
      'remit-network-policies',
      /Exclude/,
      () => create(ana, networkPolicies, opening({ matchLabels: { 'remit.dev/agent': AGENT } })),
    ],
    [
      'add a NetworkPolicy for all pods of a region, which the API server labels when it binds them',
      'remit-network-policies',
      /Exclude/,
      () => create(ana, networkPolicies, opening({ matchLabels: { 'topology.kubernetes.io/region': 'eu' } })),
    ],
    [
      'widen a NetworkPolicy of its own to all pods',
      'remit-network-policies',
      /Exclude/,
      () =>
        mergePatch(
          ana,
          networkPolicies,
          { namespace: NS, name: 'web' },
          { spec: { podSelector: { matchLabels: null } } },
        ),
    ],
    [
      'add a NetworkPolicy that opens every pod and looks like a fence',
      'remit-agent-objects',
      /labelled remit.dev\/agent/,
      () => create(ana, networkPolicies, opening({}, NS, { 'remit.dev/agent': AGENT })),
    ],
    [
      "put the fences' label on a NetworkPolicy of its own",
      'remit-agent-objects',
      /labelled remit.dev\/agent/,
      () =>
        mergePatch(
          ana,
          networkPolicies,
          { namespace: NS, name: 'web' },
          { metadata: { labels: { 'remit.dev/agent': AGENT } } },
        ),
    ],
    [
      'write a remit',
      'remit-remits',
      /compiled and signed by the operator/,
      () => create(admin, agentRemits, remit('forged')),
    ],
    [
      'change a remit',
      'remit-remits',
      /compiled and signed/,
      () => mergePatch(admin, agentRemits, { namespace: NS, name: AGENT }, { spec: { signature: 'x' } }),
    ],
    [
      'delete a remit',
      'remit-remits',
      /compiled and signed/,
      () => remove(admin, agentRemits, { namespace: NS, name: AGENT }),
    ],
    [
      "write an agent's status",
      'remit-statuses',
      /only the operator/,
      () =>
        mergePatch(
          admin,
          agentIdentities,
          { namespace: NS, name: AGENT, subresource: 'status' },
          { status: { onCall: 'nobody' } },
        ),
    ],
    [
      "write a policy's status",
      'remit-statuses',
      /only the operator/,
      () =>
        mergePatch(
          admin,
          agentPolicies,
          { namespace: NS, name: 'billing', subresource: 'status' },
          { status: { agents: 0 } },
        ),
    ],
    [
      'create an agent in the name of another',
      'remit-agent-identities',
      /must be the caller, ana/,
      () =>
        create(
          ana,
          agentIdentities,
          agentIdentity(NS, stampOf({ name: 'bo', groups: ANA.groups }), 'forged') as KubeObject,
        ),
    ],
    [
      'claim a group in the stamp',
      'remit-agent-identities',
      /must be the caller/,
      () =>
        create(
          ana,
          agentIdentities,
          agentIdentity(NS, stampOf({ ...ANA, groups: ['admins', ...ANA.groups] }), 'forged') as KubeObject,
        ),
    ],
    [
      'leave a group out of the stamp',
      'remit-agent-identities',
      /must be the caller/,
      () => create(ana, agentIdentities, agentIdentity(NS, stampOf({ name: 'ana' }), 'forged') as KubeObject),
    ],
    [
      'claim a uid in the stamp',
      'remit-agent-identities',
      /must be the caller/,
      () => create(ana, agentIdentities, agentIdentity(NS, { ...stampOf(ANA), uid: 'x' }, 'forged') as KubeObject),
    ],
    [
      'forge the stamp in a dry run',
      'remit-agent-identities',
      /must be the caller/,
      () => create(ana, agentIdentities, agentIdentity(NS, stampOf({ name: 'bo' }), 'forged') as KubeObject, dry),
    ],
    [
      'date the stamp back',
      'remit-agent-identities',
      /time of creation/,
      () =>
        create(ana, agentIdentities, agentIdentity(NS, stampOf(ANA, Date.now() - 86_400_000), 'forged') as KubeObject),
    ],
    [
      'take the finalizer off an agent',
      'remit-agent-identities',
      /finalizers/,
      () => mergePatch(ana, agentIdentities, { namespace: NS, name: AGENT }, { metadata: { finalizers: [] } }),
    ],
    [
      "create an agent in Remit's own namespace",
      'remit-agent-identities',
      /no agents in remit-system/,
      () => create(ana, agentIdentities, agentIdentity(SYSTEM_NAMESPACE, stampOf(ANA)) as KubeObject),
    ],
    [
      "run a Deployment under an agent's name",
      'remit-workload-names',
      /spec\.workload of the AgentIdentity billing-bot/,
      () => create(ana, deployments, deployment(AGENT)),
    ],
  ]
  const podPath = (rest: string) => `/api/v1/namespaces/${NS}/pods/${POD}/${rest}`
  const mintToken = (client: Client, name: string) =>
    client.request('POST', `/api/v1/namespaces/${NS}/serviceaccounts/${name}/token`, {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['remit-ledger'] } },
    })
  const tokenSecret = (account: string) =>
    ({
      metadata: {
        name: `token-${account}`,
        namespace: NS,
        annotations: { 'kubernetes.io/service-account.name': account },
      },
      type: 'kubernetes.io/service-account-token',
    }) as KubeObject as never
  const serviceFor = (selector: Record<string, string>) =>
    ({ metadata: { name: 'front', namespace: NS }, spec: { selector, ports: [{ port: 80 }] } }) as KubeObject as never
  const deployment = (name: string) =>
    ({
      metadata: { name, namespace: NS },
      spec: {
        selector: { matchLabels: { app: 'x' } },
        template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'main', image: 'x' }] } },
      },
    }) as KubeObject as never
  const remit = (name: string) =>
    ({
      metadata: { name, namespace: NS },
      spec: { remit: { version: 1, generation: 1 }, signature: 'a..b' },
    }) as KubeObject
  const replaceImage = async (field: 'containers' | 'initContainers') => {
    const pod = (await get(ana, pods, { namespace: NS, name: POD })) as unknown as { spec: Loose }
    pod.spec[field][0].image = 'evil'
    return ana.request('PUT', podPath('').slice(0, -1), { body: pod })
  }

  beforeAll(async () => {
    await create(ana, pods, plainPod('web', { labels: { app: 'web' } }))
    await create(ana, secrets, tokenSecret('default'))
    await create(operator, networkPolicies, {
      metadata: { name: POD, namespace: NS, finalizers: ['remit.dev/pod-gone'] },
      spec: { podSelector: {} },
    } as never)
    await create(ana, networkPolicies, {
      ...(opening({ matchLabels: { app: 'web' } }) as KubeObject),
      metadata: { name: 'web', namespace: NS },
    } as never)
    await create(operator, agentRemits, remit(AGENT))
    await create(admin, agentPolicies, agentPolicy(NS) as KubeObject)
    await mergePatch(
      operator,
      agentIdentities,
      { namespace: NS, name: AGENT },
      { metadata: { finalizers: ['remit.dev/agent'] } },
    )
  })
  test.each(table)('%s', async (_, policy, words, attempt) => {
    await refused(attempt(), policy, words)
  })
})

test('an agent without a stamp, and a stamp that changes, are refused by the schema already', async () => {
  await expect(
    create(ana, agentIdentities, agentIdentity(NS, undefined, 'forged') as KubeObject),
  ).rejects.toMatchObject({
    code: 422,
    message: expect.stringContaining('spec.createdBy: Required value'),
  })
  const change = mergePatch(
    ana,
    agentIdentities,
    { namespace: NS, name: AGENT },
    { spec: { createdBy: { username: 'bo' } } },
  )
  await expect(change).rejects.toMatchObject({ code: 422, message: expect.stringContaining('never changes') })
})

describe('who lifts a freeze is who the API server saw', () => {
  const NAMED = 'thawed'
  const now = () => new Date().toISOString()
  const patch = (spec: object) => mergePatch(ana, agentIdentities, { namespace: NS, name: NAMED }, { spec }, dry)
  const bo = stampOf({ name: 'bo', groups: ANA.groups })
  const lifted = { unfrozenAt: '2026-11-20T02:00:00Z', unfrozenBy: stampOf(ANA) }

  beforeAll(async () => {
    const made = agentIdentity(NS, stampOf(ANA), NAMED)
    await create(ana, agentIdentities, { ...made, spec: { ...made.spec, ...lifted } } as KubeObject)
  })

  test.each([
    ['the caller', { unfrozenAt: now(), unfrozenBy: stampOf(ANA) }],
    ['nobody any more', { unfrozenAt: null, unfrozenBy: null }],
    ['nothing of it', { purpose: 'another' }],
  ])('%s is accepted', async (_, spec) => {
    await patch(spec)
  })

  test.each([
    ['another user', { unfrozenAt: now(), unfrozenBy: bo }, /must be the caller, ana/],
    ['who did it last time', { unfrozenAt: now(), unfrozenBy: { ...lifted.unfrozenBy, username: 'bo' } }, /must be/],
    ['with groups left out', { unfrozenAt: now(), unfrozenBy: { ...bo, username: 'ana', groups: null } }, /must be/],
    ['another user for the same time', { unfrozenBy: bo }, /changes only with spec.unfrozenAt/],
    ['a time to come', { unfrozenAt: '2999-01-01T00:00:00Z', unfrozenBy: stampOf(ANA) }, /after it happened/],
  ])('%s is refused', async (_, spec, words) => {
    await refused(patch(spec), 'remit-agent-identities', words)
  })

  test('on CREATE too', async () => {
    const made = agentIdentity(NS, stampOf(ANA), 'another')
    const spec = { ...made.spec, unfrozenAt: now(), unfrozenBy: bo }
    await refused(create(ana, agentIdentities, { ...made, spec } as KubeObject), 'remit-agent-identities', /must be/)
  })

  test('the time alone, and the name alone, are refused by the schema', async () => {
    for (const spec of [{ unfrozenBy: null }, { unfrozenAt: null }])
      await expect(patch(spec)).rejects.toMatchObject({
        message: expect.stringContaining("written by Remit's webhook whenever spec.unfrozenAt is"),
      })
  })
})

describe('what stays allowed', () => {
  test.each<[string, () => Promise<unknown>]>([
    ["a pod of one's own", () => create(ana, pods, plainPod('mine'), dry)],
    [
      "a token for an account of one's own",
      () =>
        ana.request('POST', `/api/v1/namespaces/${NS}/serviceaccounts/default/token`, {
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
        }),
    ],
    [
      'a default-deny NetworkPolicy',
      () =>
        create(
          ana,
          networkPolicies,
          { metadata: { name: 'deny', namespace: NS }, spec: { podSelector: {}, policyTypes: ['Egress'] } } as never,
          dry,
        ),
    ],
    [
      'a NetworkPolicy that excludes agents',
      () =>
        create(
          ana,
          networkPolicies,
          opening({ matchExpressions: [{ key: 'remit.dev/agent', operator: 'DoesNotExist' }] }),
          dry,
        ),
    ],
    ['any NetworkPolicy where no agents live', () => create(ana, networkPolicies, opening({}, PLAIN), dry)],
    [
      "an annotation on an agent's pod",
      () => mergePatch(ana, pods, { namespace: NS, name: POD }, { metadata: { annotations: { note: 'x' } } }),
    ],
    [
      'a pod agent-* in an exempt namespace',
      () =>
        create(
          admin,
          pods,
          { ...plainPod('agent-x'), metadata: { name: 'agent-x', namespace: SYSTEM_NAMESPACE } } as Pod,
          dry,
        ),
    ],
    [
      'the operator releasing the finalizer of an agent',
      () => mergePatch(operator, agentIdentities, { namespace: NS, name: AGENT }, { metadata: { finalizers: [] } }),
    ],
    [
      'an edit of the agent',
      () => mergePatch(ana, agentIdentities, { namespace: NS, name: AGENT }, { spec: { purpose: 'x' } }),
    ],
    ["deleting an agent's pod", () => dryDelete(ana, `/api/v1/namespaces/${NS}/pods/${POD}`)],
    [
      "the operator's status",
      () =>
        mergePatch(
          operator,
          agentIdentities,
          { namespace: NS, name: AGENT, subresource: 'status' },
          { status: { onCall: 'ana' } },
        ),
    ],
    [
      'garbage collection of a NetworkPolicy',
      async () => {
        const gc = await api.clientAs({
          name: 'system:serviceaccount:kube-system:generic-garbage-collector',
          groups: ['system:masters'],
        })
        return dryDelete(gc, `/apis/networking.k8s.io/v1/namespaces/${NS}/networkpolicies/${POD}`)
      },
    ],
  ])('%s', async (_, attempt) => {
    await expect(attempt()).resolves.toBeDefined()
  })

  test("the node an agent's pod runs on gets its token, another node does not", async () => {
    const [node, other] = await Promise.all(
      ['n1', 'n2'].map((n) => api.clientAs({ name: `system:node:${n}`, groups: ['system:nodes'] })),
    )
    await create(admin, resource('v1', 'Node', 'nodes', 'Cluster'), { metadata: { name: 'n1' } })
    await admin.request('POST', `/api/v1/namespaces/${NS}/pods/${POD}/binding`, {
      body: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: POD, namespace: NS },
        target: { kind: 'Node', name: 'n1' },
      },
    })
    const pod = await get(admin, pods, { namespace: NS, name: POD })
    const request = (client: Client) =>
      client.request<{ status: { token: string } }>('POST', `/api/v1/namespaces/${NS}/serviceaccounts/${POD}/token`, {
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: {
            audiences: ['remit-ledger'],
            boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: POD, uid: pod.metadata.uid },
          },
        },
      })
    const { status } = await eventually(() => request(node!), { timeoutMs: 15_000 })
    expect(status.token).toMatch(/^ey/)
    await expect(request(other!)).rejects.toMatchObject({ code: 403 })
  })

  test('policies deleted and made again, as by installing anew, hold as before', async () => {
    const policy = resource(ADMISSION, 'ValidatingAdmissionPolicy', 'validatingadmissionpolicies', 'Cluster')
    const binding = resource(
      ADMISSION,
      'ValidatingAdmissionPolicyBinding',
      'validatingadmissionpolicybindings',
      'Cluster',
    )
    for (const kind of [binding, policy])
      for (const { metadata } of (await list(admin, kind)).items) await remove(admin, kind, { name: metadata.name })
    const weak = () =>
      create(
        operator,
        pods,
        changed((p) => delete p.spec.initContainers),
        dry,
      ).catch((e) => e)
    await eventually(async () => /already exists/.test((await weak()).message), { timeoutMs: 20_000 })
    const after = `registry.example/remit/sidecar@sha256:${'4'.repeat(64)}`
    const again = await renderChart(
      '--set',
      `images.sidecar.digest=sha256:${'4'.repeat(64)}`,
      '--set',
      `images.sidecar.previousDigests={sha256:${'5'.repeat(64)}}`,
    )
    await createOf(admin, again, ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'])
    await eventually(
      () =>
        refused(create(operator, pods, injectedPod(agent), dry), 'remit-agent-pods', /not one of the sidecar images/),
      { timeoutMs: 30_000 },
    )
    const current = await create(operator, pods, injectedPod(agent, after), dry).catch((e) => e)
    expect(current.message).toMatch(/already exists/)
    await eventually(() => refused(create(ana, networkPolicies, opening(), dry), 'remit-network-policies', /Exclude/), {
      timeoutMs: 30_000,
    })
  })
  test('a namespace can be deleted', async () => {
    await create(admin, namespaces, { metadata: { name: 'short-lived' } })
    await expect(remove(admin, namespaces, { name: 'short-lived' })).resolves.toBe(true)
  })
})
