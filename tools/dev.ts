/** `npm run dev`: brings the cluster up, installs, and does it again whenever a source file changes. */
import { watch } from 'node:fs'
import { join } from 'node:path'
import { ensureCluster } from './cluster/cluster.ts'
import { repoRoot } from './cluster/config.ts'
import { applyCompany, installChart, loadImages } from './deploy/deploy.ts'
import { clusterOptions } from './options.ts'
import { defaultProgress } from './progress.ts'

const SOURCES = ['lib', 'operator', 'webhook', 'ledger', 'sidecar', 'charts', 'test/fixtures']
const QUIET_MS = 300

const progress = defaultProgress()
const cluster = await ensureCluster(clusterOptions(), progress)
const roll = async () => {
  await installChart(cluster, await loadImages(cluster, progress), progress)
  await applyCompany(cluster)
  console.log('Running what the sources say. Change a file to roll it out; end with Ctrl-C.')
}

let timer: NodeJS.Timeout | undefined
let rolling = roll()
const changed = (_: unknown, file: string | null) => {
  if (file?.endsWith('.test.ts')) return
  clearTimeout(timer)
  timer = setTimeout(() => {
    rolling = rolling.then(roll).catch((error) => console.error((error as Error).message))
  }, QUIET_MS)
}
for (const dir of SOURCES) watch(join(repoRoot, dir), { recursive: true }, changed)
await rolling
