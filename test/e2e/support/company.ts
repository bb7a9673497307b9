import { readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import type { AgentIdentity, AgentIdentitySpec, Workload } from '../../../lib/api/gen/types.ts'
import { companyFiles } from '../../../tools/deploy/deploy.ts'
import { apply } from './kubectl.ts'

export interface Loose {
  kind: string
  metadata: { name: string; namespace?: string }
}

const objects = (): Loose[] => companyFiles().flatMap((file) => loadAll(readFileSync(file, 'utf8')) as Loose[])

/** The objects of one of the company's teams, moved into another namespace; without its agents. */
export const teamWithoutAgents = (team: 'payments' | 'support', namespace: string): Loose[] =>
  objects()
    .filter(({ kind, metadata }) => metadata.namespace === team && kind !== 'AgentIdentity')
    .map((object) => ({ ...object, metadata: { ...object.metadata, namespace } }))

/** What holds for every agent of the company. */
export const companyFloor = (): Loose[] => objects().filter(({ kind }) => kind === 'ClusterAgentPolicy')

/** One of the company's agents, moved into another namespace, as written in the fixtures. */
export const companyAgent = (name: 'billing-bot' | 'desk-bot', namespace: string): AgentIdentity => {
  const found = objects().find((object) => object.kind === 'AgentIdentity' && object.metadata.name === name)
  if (!found) throw new Error(`the company has no agent ${name}`)
  return { ...found, metadata: { name, namespace } } as unknown as AgentIdentity
}

/** The payments team at work in a namespace of the test's: owner group, policy, secret and the billing server. */
export const applyPayments = (namespace: string): Promise<string> =>
  apply(...companyFloor(), ...teamWithoutAgents('payments', namespace))

/** One step of the scripted agent; see test/fixtures/agent. */
export interface Step {
  server: string
  tool: string
  arguments: Record<string, unknown>
  task?: string
  reason?: string
}

export interface AgentOptions {
  name: string
  namespace: string
  /** What the scripted agent does, again every `everyMs` (0: once). */
  steps?: Step[]
  everyMs?: number
  /** Runs this program text in Node in the agent container instead. */
  program?: string
  /** Of `spec.workload`, over what this makes. */
  workload?: Partial<Workload>
  spec?: Partial<AgentIdentitySpec>
}

/** An agent of the payments team: the scripted client, or a program of the test's own in its place. */
export const agentOf = (options: AgentOptions): AgentIdentity => {
  const { spec } = companyAgent('billing-bot', options.namespace)
  const env = [
    { name: 'AGENT_EVERY_MS', value: String(options.everyMs ?? 500) },
    { name: 'AGENT_SCRIPT', value: JSON.stringify(options.steps ?? []) },
  ]
  return {
    apiVersion: 'remit.dev/v1alpha1',
    kind: 'AgentIdentity',
    metadata: { name: options.name, namespace: options.namespace },
    spec: {
      ...spec,
      ...options.spec,
      workload: {
        ...spec.workload,
        env,
        terminationGracePeriodSeconds: 5,
        ...(options.program ? { command: ['/usr/bin/node', '-e', options.program] } : {}),
        ...options.workload,
      },
    },
  }
}
