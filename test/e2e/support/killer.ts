import { execFileSync } from 'node:child_process'
import { get, list } from '../../../lib/kube/objects.ts'
import { type Pod, pods } from '../../../lib/kube/resources.ts'
import { eventually } from '../../harness/eventually.ts'
import { apply, ok } from './kubectl.ts'
import { client, makeNamespace } from './world.ts'

const NAME = 'killer'

/** Kills every process in the control group of a container, by the container's id, and says how many. */
const PROGRAM = `
const fs = require('node:fs')
const [id, signal] = process.argv.slice(1)
const pids = fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).filter((pid) => {
  try { return fs.readFileSync('/proc/' + pid + '/cgroup', 'utf8').includes(id) } catch { return false }
})
for (const pid of pids) try { process.kill(Number(pid), signal) } catch (error) { if (error.code !== 'ESRCH') throw error }
console.log(pids.length)`

export interface Killer {
  namespace: string
  /** Sends SIGKILL to all processes of a container from outside of its pod. @throws when there was none */
  kill: (pod: ContainerOf) => Promise<void>
}

const statusOf = (pod: Pod, container: string) =>
  [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].find(
    ({ name }) => name === container,
  )

/** How often a container of a pod was started again. */
export const restartsOf = async (pod: ContainerOf): Promise<number> =>
  statusOf(await get(client, pods, pod), pod.container)?.restartCount ?? 0

type ContainerOf = { namespace: string; name: string; container: string }

const idOf = async (pod: ContainerOf): Promise<string> => {
  const status = statusOf(await get(client, pods, pod), pod.container)
  const id = status?.containerID?.split('://')[1]
  if (!id) throw new Error(`${pod.name}/${pod.container} does not run`)
  return id
}

/** Prepares a kill of a container on this very machine, for when the API server cannot be asked. */
export const killerHere = async (pod: ContainerOf): Promise<() => void> => {
  const id = await idOf(pod)
  return () => {
    const killed = execFileSync(process.execPath, ['-e', PROGRAM, id, 'SIGKILL'], { encoding: 'utf8' })
    if (Number(killed) < 1) throw new Error(`no process of ${pod.name}/${pod.container} was found`)
  }
}

/** A pod that sees the processes of its node (the tests' cluster has one) and may end them. */
export const makeKiller = async (): Promise<Killer> => {
  const namespace = await makeNamespace('killer', { 'pod-security.kubernetes.io/enforce': 'privileged' })
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: NAME, namespace },
    spec: {
      hostPID: true,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: NAME,
          image: 'remit.local/demo-agent:dev',
          imagePullPolicy: 'IfNotPresent',
          command: ['/usr/bin/node', '-e', 'setInterval(() => {}, 60_000)'],
          securityContext: { runAsUser: 0 },
        },
      ],
    },
  })
  await ok(['wait', '-n', namespace, '--for=condition=Ready', `pod/${NAME}`, '--timeout=60s'])
  return {
    namespace,
    kill: async (pod) => {
      const id = await idOf(pod)
      const killed = await ok(['exec', '-n', namespace, NAME, '--', '/usr/bin/node', '-e', PROGRAM, id, 'SIGKILL'])
      if (Number(killed) < 1) throw new Error(`no process of ${pod.name}/${pod.container} was found`)
    },
  }
}

/** The pods of one of Remit's own parts. */
export const partPods = async (part: 'operator' | 'webhook' | 'ledger'): Promise<Pod[]> => {
  const { items } = await list(client, pods, {
    namespace: 'remit-system',
    labelSelector: `app.kubernetes.io/component=${part}`,
  })
  return items.filter(({ metadata }) => !metadata.deletionTimestamp)
}

/** Waits until a part has this many pods and all are ready. */
export const waitPart = (part: 'operator' | 'webhook' | 'ledger', count = 1): Promise<Pod[]> =>
  eventually(
    async () => {
      const found = await partPods(part)
      const ready = found.filter(({ status }) =>
        status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
      )
      return found.length === count && ready.length === count ? found : undefined
    },
    { timeoutMs: 60_000, everyMs: 250, what: `${count} ready ${part}` },
  )
