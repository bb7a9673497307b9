import { dirname, join } from 'node:path'
import type { Cluster } from '../cluster/cluster.ts'
import { repoRoot, toolsConfig } from '../cluster/config.ts'

/** Environment in which `kubectl` is ours, talks to that cluster, and finds `kubectl remit`. */
export const clusterEnvironment = (cluster: Cluster): { KUBECONFIG: string; PATH: string } => ({
  KUBECONFIG: cluster.kubeconfig,
  PATH: [dirname(cluster.kubectl), join(repoRoot, 'dist'), dirname(process.execPath), toolsConfig().path].join(':'),
})
