import { dirname, join } from 'node:path'
import { ensureBinaries } from '../cluster/binaries.ts'
import { repoRoot } from '../cluster/config.ts'

/** Environment in which `kubectl` is ours, talks to that cluster, and finds `kubectl remit`. */
export const clusterEnvironment = async (cluster: { kubeconfig: string }): Promise<Record<string, string>> => {
  const { kubectl } = await ensureBinaries(['kubectl'])
  const path = [dirname(kubectl), join(repoRoot, 'dist'), dirname(process.execPath), process.env.PATH ?? '']
  return { KUBECONFIG: cluster.kubeconfig, PATH: path.join(':') }
}
