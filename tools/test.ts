/** `npm test`: static checks, unit, integration and end-to-end tests; ends with one line that counts them all. */
import { build } from './build/bundles.ts'
import { runChecks } from './check.ts'
import { ensureBinaries } from './cluster/binaries.ts'
import { CannotSetUp, checkMachine, ensureCluster } from './cluster/cluster.ts'
import { installChart, provideImages } from './deploy/deploy.ts'
import { clusterEnvironment } from './deploy/environment.ts'
import { clusterOptions } from './options.ts'
import { defaultProgress } from './progress.ts'
import { runTool } from './run-tool.ts'
import { close, type Tally } from './test/tally.ts'
import { runVitest } from './test/vitest.ts'

const { rest, registry, ...where } = clusterOptions()
const progress = defaultProgress()

const stages: Record<string, () => Promise<Tally>> = {
  checks: async () => {
    const checks = await runChecks()
    const failed = checks.filter((check) => !check.ok)
    for (const { name, output } of failed) console.error(`${name}:\n${output}\n`)
    return { stage: 'checks', passed: checks.length - failed.length, failed: failed.length, skipped: 0 }
  },
  unit: async () => {
    await build()
    // Tests have no patience for a first build of these.
    await ensureBinaries(['etcd', 'kube-apiserver', 'kube-scheduler', 'kubectl', 'helm', 'kwok'], progress)
    return runVitest('unit', ['--config', 'vitest.config.ts'])
  },
  e2e: async () => {
    const cluster = await ensureCluster(where, progress)
    // Before the images, for which other processes may wait.
    await ensureBinaries(['otelcol'], progress)
    const images = await provideImages(cluster, progress, registry, ['demo-collector'])
    await installChart(cluster, images, progress)
    return runVitest('e2e', ['--config', 'vitest.e2e.config.ts'], {
      ...clusterEnvironment(cluster),
      REMIT_TEST_CONTEXT: cluster.context,
      REMIT_TEST_PROVIDER: cluster.provider,
      REMIT_TEST_IMAGES: images.prefix,
    })
  },
}

await runTool(async () => {
  const wanted = rest.length ? rest : Object.keys(stages)
  if (wanted.includes('e2e')) await checkMachine(where)
  const tallies: Tally[] = []
  for (const name of wanted) {
    const run = stages[name]
    if (!run) throw new CannotSetUp(`there is no stage ${name}; there is: ${Object.keys(stages).join(', ')}`)
    const tally = await run().catch((error): Tally => {
      console.error(error instanceof Error ? error.message : error)
      return { stage: name, passed: 0, failed: 1, skipped: 0 }
    })
    console.log(`${name}: ${tally.passed} passed, ${tally.failed + tally.skipped} failed\n`)
    tallies.push(tally)
  }
  const { line, code } = close(tallies)
  console.log(line)
  return code
})
