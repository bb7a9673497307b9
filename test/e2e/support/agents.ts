import type { AgentIdentity } from '../../../lib/api/gen/types.ts'
import { find, get } from '../../../lib/kube/objects.ts'
import { agentIdentities, type Pod, pods, typed } from '../../../lib/kube/resources.ts'
import type { KubeObject } from '../../../lib/kube/types.ts'
import { eventually } from '../../harness/eventually.ts'
import { kubectl } from './kubectl.ts'
import { client } from './world.ts'

export type LiveAgent = AgentIdentity & KubeObject
const kind = typed<LiveAgent>(agentIdentities)

export const agentNow = (namespace: string, name: string): Promise<LiveAgent> => get(client, kind, { namespace, name })

export const conditionOf = (agent: LiveAgent, type: string) =>
  agent.status?.conditions?.find((condition) => condition.type === type)

/** Waits until a condition has that status (and reason), and says what it is instead when it never does. */
export const waitCondition = (
  namespace: string,
  name: string,
  wanted: { type?: string; status: string; reason?: string },
  timeoutMs = 60_000,
): Promise<LiveAgent> => {
  const { type = 'Ready', status, reason } = wanted
  return eventually(
    async () => {
      const agent = await agentNow(namespace, name)
      const found = conditionOf(agent, type)
      if (found?.status === status && (reason === undefined || found.reason === reason)) return agent
      throw new Error(`${name}: ${type} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
    },
    { timeoutMs, everyMs: 200 },
  )
}

export const waitReady = (namespace: string, name: string, timeoutMs = 60_000): Promise<LiveAgent> =>
  waitCondition(namespace, name, { status: 'True' }, timeoutMs)

/** The agent's pod, if there is one. */
export const podOf = (namespace: string, agent: string): Promise<Pod | undefined> =>
  find(client, pods, { namespace, name: `agent-${agent}` })

/** What a container of the agent's pod has printed so far; empty while there is none. */
export const logOf = async (namespace: string, agent: string, container = 'agent'): Promise<string> =>
  (await kubectl(['logs', '-n', namespace, `agent-${agent}`, '-c', container])).out

/** Waits until the agent has printed a line that matches, and gives that line. */
export const waitLine = (namespace: string, agent: string, pattern: RegExp, timeoutMs = 30_000): Promise<string> =>
  eventually(
    async () => {
      const log = await logOf(namespace, agent)
      const line = log.split('\n').find((text) => pattern.test(text))
      if (line === undefined) throw new Error(`${agent} did not print ${pattern}; it printed:\n${log.slice(-2000)}`)
      return line
    },
    { timeoutMs, everyMs: 250 },
  )
