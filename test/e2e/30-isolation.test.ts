import { afterAll, beforeAll, expect, test } from 'vitest'
import { get, list } from '../../lib/kube/objects.ts'
import { nodes, type Pod, pods, services } from '../../lib/kube/resources.ts'
import { podOf, waitReady } from './support/agents.ts'
import { applyPayments } from './support/company.ts'
import { apply, kubectl, ok } from './support/kubectl.ts'
import { inPod, probeAgent, visitor } from './support/probe.ts'
import { client, dropNamespaces, makeNamespace } from './support/world.ts'

type Target = [what: string, host: string, port: number]
interface Seen {
  env: string[]
  secretFiles: string[]
  mounts: string[]
  processes: string[]
  names: Record<string, string>
  reached: Record<string, string>
  billing: number | string
  billingByGate: number | string
  ledger: number | string
  uid: number
}

const LISTEN = 9999
let ns: string
let seen: Seen
let targets: Target[]

const clusterIP = async (namespace: string, name: string) =>
  (await get(client, services, { namespace, name })).spec?.clusterIP ?? ''

/** Runs inside of the agent container: what a curious program finds there. */
const LOOK = `
const walk = (dir) => { try { return fs.readdirSync(dir, { recursive: true }).map((name) => dir + '/' + name) } catch { return [] } }
net.createServer((socket) => socket.end()).listen(input.listen, '0.0.0.0')
const reached = {}
for (const [what, host, port] of input.targets) reached[what] = await reach(host, port)
const names = {}
for (const name of ['billing-mcp', 'billing-mcp.' + input.ns + '.svc', 'kubernetes.default.svc', 'example.com'])
  names[name] = await late(5000, dns.promises.lookup(name).then(({ address }) => address, (error) => error.code))
report({
  env: Object.keys(process.env),
  secretFiles: [...walk('/var/run'), ...walk('/run'), ...walk('/var/lib')],
  mounts: fs.readFileSync('/proc/mounts', 'utf8').split('\\n').map((line) => line.split(' ')[1]).filter(Boolean),
  processes: fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
    .map((pid) => { try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0').slice(0, 2).join(' ') } catch { return '' } }),
  names, reached,
  billing: await http(input.billing), ledger: await http(input.ledger + '/v1/remit'),
  billingByGate: await http('http://127.0.0.1:7480/mcp/billing', { accept: 'text/event-stream' }),
  uid: process.getuid(),
})`

beforeAll(async () => {
  ns = await makeNamespace('fence')
  await applyPayments(ns)
  await apply(visitor(ns, 'visitor'))
  await ok(['wait', '-n', ns, '--for=condition=Ready', 'pod/visitor', '--timeout=60s'])
  await ok(['rollout', 'status', '-n', ns, 'deploy/billing-mcp', '--timeout=60s'])
  const visitorIP = (await get(client, pods, { namespace: ns, name: 'visitor' })).status?.podIP ?? ''
  const node = (await list(client, nodes)).items[0]
  const nodeIP = node?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
  const [api, billing, ledger, webhook] = await Promise.all([
    clusterIP('default', 'kubernetes'),
    clusterIP(ns, 'billing-mcp'),
    clusterIP('remit-system', 'remit-ledger'),
    clusterIP('remit-system', 'remit-webhook'),
  ])
  targets = [
    ['API server', api, 443],
    ['another pod', visitorIP, 8080],
    ['kubelet', nodeIP, 10250],
    ['webhook', webhook, 443],
    ['billing', billing, 8080],
    ['ledger', ledger, 8443],
    ['somewhere outside', '192.0.2.1', 443],
    ['gate', '127.0.0.1', 7480],
  ]
  const input = { ns, targets, listen: LISTEN, billing: `http://${billing}:8080/mcp`, ledger: `https://${ledger}:8443` }
  seen = await probeAgent<Seen>({ name: 'curious', namespace: ns }, LOOK, input)
  expect(seen).not.toHaveProperty('failed')
}, 180_000)
afterAll(() => dropNamespaces(ns))

test('the agent container has no token, no credential and no way to the sidecar but the gate', () => {
  expect(seen.secretFiles.filter((path) => /serviceaccount|remit|token|credential/i.test(path))).toEqual([])
  expect(seen.mounts.filter((path) => /serviceaccount|remit|secret/i.test(path))).toEqual([])
  // The kubelet gives every container the API server's address; it is of no use without a token and a way out.
  const named = seen.env.filter((name) => !name.startsWith('KUBERNETES_'))
  expect(named.filter((name) => /TOKEN|SECRET|PASSWORD|_SERVICE_|CREDENTIAL/i.test(name))).toEqual([])
  expect(seen.processes.filter((command) => /sidecar/.test(command))).toEqual([])
  expect(seen.uid).toBe(65532)
})

test('no name resolves', () => {
  expect(Object.values(seen.names).filter((answer) => /^[0-9a-f.:]+$/.test(answer))).toEqual([])
  expect(Object.keys(seen.names)).toHaveLength(4)
})

test('nothing answers but the gate, the ledger and the declared server', () => {
  const open = Object.entries(seen.reached).filter(([, answer]) => answer === 'connected')
  expect(open.map(([what]) => what).sort()).toEqual(['billing', 'gate', 'ledger'])
})

test('and the last two only to say 401 to whoever has no credential', () => {
  expect(seen.billing).toBe(401)
  expect(seen.ledger).toBe(401)
  expect(seen.billingByGate).not.toBe(401)
})

test('a pod beside it reaches what the agent could not, so that it was the fence', async () => {
  const outside = targets.filter(([what]) => what !== 'gate' && what !== 'somewhere outside')
  const program = 'const r = {}; for (const [w, h, p] of input) r[w] = await reach(h, p); report(r)'
  const reached = await inPod<Record<string, string>>(ns, 'visitor', program, outside)
  for (const what of ['API server', 'another pod', 'kubelet'])
    expect([what, reached[what]]).toEqual([what, 'connected'])
})

test('nobody reaches into the agent pod, not even the port its program listens on', async () => {
  const pod = await podOf(ns, 'curious')
  const host = pod?.status?.podIP
  const program = 'report(await Promise.all(input.ports.map((port) => reach(input.host, port))))'
  expect(await inPod(ns, 'visitor', program, { host, ports: [LISTEN, 7480, 7481] })).toEqual([
    'timeout',
    'timeout',
    'timeout',
  ])
})

test('an agent runs where Kubernetes enforces the restricted standard, which refuses a careless pod', async () => {
  await waitReady(ns, 'curious')
  const careless = structuredClone(visitor(ns, 'careless')) as unknown as Pod
  delete careless.spec!.containers[0]!.securityContext
  const { code, err } = await kubectl(['apply', '-f', '-'], { input: JSON.stringify(careless) })
  expect(code).not.toBe(0)
  expect(err).toMatch(/violates PodSecurity "restricted/)
})
