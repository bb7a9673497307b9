/** `npm run bench:attacks`: a public benchmark of prompt injection through the gate; see test/attacks/main.ts. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repoRoot } from './cluster/config.ts'

const main = join(repoRoot, 'test/attacks/main.ts')
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? 1
