/** `npm run fuzz [-- --seed N] [--count N] [--from N]`: a million odd requests through the gate; see test/fuzz. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repoRoot } from './cluster/config.ts'

const { status } = spawnSync(process.execPath, [join(repoRoot, 'test/fuzz/main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
