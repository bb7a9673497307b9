import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { create, list } from '../../lib/kube/objects.ts'
import { nodes } from '../../lib/kube/resources.ts'
import { ensureBinaries } from '../../tools/cluster/binaries.ts'
import type { Apiserver } from '../harness/apiserver.ts'
import { eventually } from '../harness/eventually.ts'
import { type ManagedProcess, startProcess } from '../harness/process.ts'
import { kwokConfig } from './stages.ts'

/** As the kubelet's own default. */
const PODS_A_NODE = 110

const room = { cpu: '64', memory: '256Gi', pods: String(PODS_A_NODE) }
const nodeOf = (index: number) => ({
  metadata: { name: `node-${index}`, labels: { 'kubernetes.io/hostname': `node-${index}` } },
  status: {
    capacity: room,
    allocatable: room,
    addresses: [{ type: 'InternalIP', address: `10.200.${index >> 8}.${index & 255}` }],
  },
})

const schedulerConfig = (kubeconfig: string) =>
  JSON.stringify({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    leaderElection: { leaderElect: false },
    // Of its own it would bind 50 pods a second at most, and that would be what is measured.
    clientConnection: { kubeconfig, qps: 1_000, burst: 2_000 },
  })

/**
 * Simulated nodes with room for `pods` pods: kwok plays their kubelets, the real kube-scheduler puts pods on them.
 * Wants an API server that does not taint new nodes: what would take the taint away is no part of this.
 */
export const startNodes = async (apiserver: Apiserver, dir: string, pods: number) => {
  const binaries = await ensureBinaries(['kwok', 'kube-scheduler'])
  const write = (name: string, text: string) => {
    const file = join(dir, name)
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }
  const kubelets = { name: 'kwok', groups: ['system:masters'] }
  const kwokAccess = write('kwok.kubeconfig', await apiserver.kubeconfig({ user: kubelets }))
  const schedulerAccess = write(
    'scheduler.kubeconfig',
    await apiserver.kubeconfig({ user: { name: 'system:kube-scheduler' } }),
  )
  const count = Math.ceil((pods * 1.1) / PODS_A_NODE)
  for (let index = 0; index < count; index++) await create(apiserver.client, nodes, nodeOf(index) as never)

  const start = (command: string, args: string[], name: string) =>
    startProcess({ command, args, logFile: join(dir, `${name}.log`), removeOnOrphan: dir })
  const processes: ManagedProcess[] = [
    await start(
      binaries.kwok,
      [
        `--kubeconfig=${kwokAccess}`,
        `--config=${write('kwok.yaml', kwokConfig())}`,
        '--manage-all-nodes=true',
        '--node-lease-duration-seconds=0',
        '--cidr=10.64.0.0/12',
      ],
      'kwok',
    ),
    await start(
      binaries['kube-scheduler'],
      [`--config=${write('scheduler.yaml', schedulerConfig(schedulerAccess))}`, '--secure-port=0'],
      'kube-scheduler',
    ),
  ]
  await eventually(
    async () => {
      const { items } = await list(apiserver.client, nodes)
      return items.every(({ status }) =>
        status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True'),
      )
    },
    { timeoutMs: 30_000, what: 'simulated nodes ready' },
  )
  return {
    stop: async () => {
      for (const each of processes) await each.stop(1_000)
    },
  }
}
