/** `npm test`: static checks, unit, integration and end-to-end tests; ends with one line that counts them all. */
import { build } from './build/bundles.ts'
import { runChecks } from './check.ts'
import { ensureCluster } from './cluster/cluster.ts'
import { installChart, loadImages } from './deploy/deploy.ts'
import { clusterEnvironment } from './deploy/environment.ts'
import { clusterOptions } from './options.ts'
import { defaultProgress } from './progress.ts'
import { close, type Tally } from './test/tally.ts'
import { runVitest } from './test/vitest.ts'

const { rest, ...where } = clusterOptions()
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
    return runVitest('unit', ['--config', 'vitest.config.ts'])
  },
  e2e: async () => {
    const cluster = await ensureCluster(where, progress)
    await installChart(cluster, await loadImages(cluster, progress), progress)
    return runVitest('e2e', ['--config', 'vitest.e2e.config.ts'], {
      ...clusterEnvironment(cluster),
      REMIT_TEST_CONTEXT: cluster.context,
      REMIT_TEST_PROVIDER: cluster.provider,
    })
  },
}

const wanted = rest.length ? rest : Object.keys(stages)
const tallies: Tally[] = []
for (const name of wanted) {
  const run = stages[name]
  if (!run) throw new Error(`there is no stage ${name}; there is: ${Object.keys(stages).join(', ')}`)
  const tally = await run().catch((error): Tally => {
    console.error(error instanceof Error ? error.message : error)
    return { stage: name, passed: 0, failed: 1, skipped: 0 }
  })
  console.log(`${name}: ${tally.passed} passed, ${tally.failed + tally.skipped} failed\n`)
  tallies.push(tally)
}
const { line, code } = close(tallies)
console.log(line)
process.exitCode = code
