/** `npm run dev`: brings the cluster up, installs, and does it again whenever a source file changes. */
import { watch } from 'node:fs'
import { join } from 'node:path'
import { ensureCluster } from './cluster/cluster.ts'
import { repoRoot } from './cluster/config.ts'
import { applyCompany, installChart, provideImages } from './deploy/deploy.ts'
import { clusterOptions } from './options.ts'
import { defaultProgress } from './progress.ts'
import { runTool } from './run-tool.ts'

const SOURCES = ['lib', 'operator', 'webhook', 'ledger', 'sidecar', 'charts', 'test/fixtures']
const QUIET_MS = 300

await runTool(async () => {
  const progress = defaultProgress()
  const options = clusterOptions()
  const cluster = await ensureCluster(options, progress)
  const roll = async () => {
    const images = await provideImages(cluster, progress, options.registry)
    await installChart(cluster, images, progress)
    await applyCompany(cluster, images)
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
  return 0
})
