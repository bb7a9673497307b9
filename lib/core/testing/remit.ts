import type { AgentIdentity, AgentPolicy, ClusterAgentPolicy, OwnerGroup, PolicySpec } from '../../api/gen/types.ts'
import type { DecisionRecord } from '../../api/receipt.ts'
import type { Remit } from '../../api/remit.ts'
import { type CompileInput, compile } from '../compile.ts'
import { decide, type ToolCall } from '../decide.ts'
import { newHistory } from '../history/history.ts'
import { type PreparedRemit, prepare } from '../prepare.ts'
import type { Json } from '../strict.ts'

/** Saturday night in Berlin; ana is on call in `owner`. */
export const NOW = Date.parse('2026-11-21T02:00:00Z')

export const owner: OwnerGroup = {
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'OwnerGroup',
  metadata: { name: 'billing-team', namespace: 'payments', uid: 'uid-owner' },
  spec: {
    members: [{ name: 'ana' }, { name: 'bo' }],
    onCall: {
      rotation: {
        timeZone: 'Europe/Berlin',
        start: '2026-10-05T09:00',
        every: { count: 1, unit: 'Week' },
        order: [['ana'], ['bo']],
      },
    },
    fallback: ['ana'],
  },
}

export const agent = (policies: string[]): AgentIdentity => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'AgentIdentity',
  metadata: { name: 'billing-bot', namespace: 'payments', uid: 'uid-agent' },
  spec: {
    purpose: 'Answers refund requests',
    runbook: 'https://runbooks.corp.example/billing-bot',
    ownerRef: { name: 'billing-team' },
    policyRefs: policies.map((name) => ({ name })),
    workload: { image: 'billing-bot' },
    createdBy: { username: 'ana@corp.example', at: '2026-11-01T00:00:00Z' },
  },
})

export const policy = (name: string, spec: PolicySpec): AgentPolicy => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'AgentPolicy',
  metadata: { name, namespace: 'payments', uid: `uid-${name}` },
  spec,
})

export const clusterPolicy = (name: string, spec: PolicySpec): ClusterAgentPolicy => ({
  apiVersion: 'remit.dev/v1alpha1',
  kind: 'ClusterAgentPolicy',
  metadata: { name, uid: `uid-${name}` },
  spec,
})

/** Specs of the agent's policies, named p0, p1, ..., and of the cluster's, named c0, c1, ... */
export const input = (specs: PolicySpec[], cluster: PolicySpec[] = []): CompileInput => ({
  cluster: 'cluster-a',
  agent: agent(specs.map((_, index) => `p${index}`)),
  policies: specs.map((spec, index) => policy(`p${index}`, spec)),
  clusterPolicies: cluster.map((spec, index) => clusterPolicy(`c${index}`, spec)),
  owner,
  servers: ['billing', 'mail'].map((name) => ({ name, url: `http://10.0.0.1/${name}` })),
  models: [],
  generation: 1,
  epoch: 0,
  issuedAt: '2026-11-21T00:00:00Z',
})

export function remitOf(specs: PolicySpec[], cluster: PolicySpec[] = []): Remit {
  const result = compile(input(specs, cluster))
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.remit
}

/** Decides a call of an agent that has done nothing yet. */
export const decideFirst = (prepared: PreparedRemit, call: ToolCall, now = NOW): DecisionRecord =>
  decide(prepared, call, { ...newHistory(prepared), loaded: true }, now)

/** Decides one call of `billing/<tool>` or `<server>/<tool>` under the policies' specs. */
export function ask(
  specs: PolicySpec | PolicySpec[],
  tool: string,
  args: Json = {},
  cluster: PolicySpec[] = [],
): DecisionRecord {
  const [server, name] = tool.includes('/') ? (tool.split('/') as [string, string]) : ['billing', tool]
  const prepared = prepare(remitOf(Array.isArray(specs) ? specs : [specs], cluster))
  return decideFirst(prepared, { server, tool: name, arguments: args })
}
