/** `npm run faults [-- PART...] [--seed N]`: bad networks, servers and certificates for minutes; see test/faults/main.ts. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repoRoot } from './cluster/config.ts'

const main = join(repoRoot, 'test/faults/main.ts')
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? 1
