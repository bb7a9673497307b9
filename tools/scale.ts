/** `npm run scale [-- --agents N] [--seed N] [--streams N] [--profiles DIR]`: 2,000 agents on simulated nodes; see test/scale. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ensureBinaries } from './cluster/binaries.ts'
import { repoRoot } from './cluster/config.ts'
import { defaultProgress } from './progress.ts'
import { runTool } from './run-tool.ts'

await runTool(async () => {
  await ensureBinaries(['etcd', 'kube-apiserver', 'kube-scheduler', 'kwok', 'helm'], defaultProgress())
  const { status } = spawnSync(process.execPath, [join(repoRoot, 'test/scale/main.ts'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  return status ?? 1
})
