import { API_VERSION } from '../../lib/api/names.ts'
import type { KubeObject } from '../../lib/kube/types.ts'
import { type Random, random } from '../fuzz/random.ts'

/** One namespace: who answers, what bounds its agents, what they use, and the agents themselves. */
export interface Team {
  namespace: string
  owner: KubeObject
  policies: KubeObject[]
  services: KubeObject[]
  agents: KubeObject[]
}

const SERVERS = ['billing', 'mail', 'docs', 'tickets']
const VERBS = ['get', 'list', 'search', 'create', 'update', 'send', 'refund', 'close']
const PEOPLE = ['ana', 'bo', 'cy', 'dee', 'eli']

const owner = (namespace: string, chance: Random): KubeObject => {
  const members = PEOPLE.slice(0, 2 + chance.below(4))
  const spec = {
    members: members.map((name) => ({
      name,
      identities: [{ kind: 'User', name: `${name}@corp.example` }],
      contacts: { email: `${name}@corp.example` },
    })),
    onCall: chance.chance(0.5)
      ? { owner: 'ana' }
      : {
          rotation: {
            timeZone: 'Europe/Berlin',
            start: '2026-01-05T09:00',
            every: { count: 1, unit: 'Week' },
            order: members.map((name) => [name]),
          },
        },
    fallback: ['ana'],
  }
  return { apiVersion: API_VERSION, kind: 'OwnerGroup', metadata: { name: 'team', namespace }, spec } as KubeObject
}

const policy = (namespace: string, name: string, chance: Random): KubeObject => {
  const server = chance.pick(SERVERS)
  const tools = Array.from({ length: 3 + chance.below(8) }, (_, index) => ({
    name: `${name}-rule-${index}`,
    match: { servers: [server], tools: [`${chance.pick(VERBS)}_${index}`, `${chance.pick(VERBS)}_all_*`] },
    effect: chance.pick(['Allow', 'Allow', 'Allow', 'Ask', 'Deny']),
    where: chance.weighted<object[]>([
      [3, () => [{ arg: 'amount', min: '0.01', max: `${10 + chance.below(500)}.00` }]],
      [2, () => [{ arg: 'currency', in: ['EUR', 'USD'] }]],
      [1, () => [{ arg: 'ticket', pattern: '^T-[0-9]+$' }]],
    ]),
  }))
  const spec = { mode: 'Enforce', tools, invariants: [{ name: `${name}-never`, match: { tools: ['delete_*'] } }] }
  return { apiVersion: API_VERSION, kind: 'AgentPolicy', metadata: { name, namespace }, spec } as KubeObject
}

const service = (namespace: string, name: string): KubeObject =>
  ({
    metadata: { name: `${name}-mcp`, namespace },
    spec: { selector: { app: `${name}-mcp` }, ports: [{ name: 'mcp', port: 8080, targetPort: 8080 }] },
  }) as KubeObject

const agent = (namespace: string, name: string, policies: string[], chance: Random): KubeObject => {
  const used = SERVERS.slice(0, 1 + chance.below(SERVERS.length))
  const spec = {
    purpose: `Does the work of ${name} in ${namespace}`,
    ownerRef: { name: 'team' },
    policyRefs: policies.map((each) => ({ name: each })),
    servers: used.map((server) => ({
      name: server,
      service: { name: `${server}-mcp`, port: 8080, path: '/mcp' },
      credentialRef: { name: `${server}-token`, key: 'token' },
    })),
    workload: {
      image: `registry.example/agents/bot:${1 + chance.below(9)}`,
      resources: { requests: { cpu: '10m', memory: '64Mi' } },
      env: [{ name: 'MODE', value: chance.pick(['fast', 'careful']) }],
    },
  }
  return { apiVersion: API_VERSION, kind: 'AgentIdentity', metadata: { name, namespace }, spec } as KubeObject
}

/** Teams of a company with `agents` agents in all: the same for the same seed. */
export const teamsOf = (options: { agents: number; namespaces: number; seed: number }): Team[] =>
  Array.from({ length: options.namespaces }, (_, index) => {
    const chance = random(options.seed, index)
    const namespace = `team-${index}`
    const size = Math.floor((options.agents + index) / options.namespaces)
    const names = ['reads', 'writes', 'limits']
    return {
      namespace,
      owner: owner(namespace, chance),
      policies: names.map((name) => policy(namespace, name, chance)),
      services: SERVERS.map((name) => service(namespace, name)),
      agents: Array.from({ length: size }, (_, at) => agent(namespace, `bot-${at}`, names, chance)),
    }
  })

/** What binds every agent; `forbidden` is what an edit of it changes. */
export const clusterPolicy = (forbidden: string): KubeObject =>
  ({
    apiVersion: API_VERSION,
    kind: 'ClusterAgentPolicy',
    metadata: { name: 'company' },
    spec: {
      mode: 'Enforce',
      invariants: [
        { name: 'never-drop', match: { tools: ['drop_*'] } },
        { name: 'never-forbidden', match: { tools: [forbidden] } },
      ],
    },
  }) as KubeObject
