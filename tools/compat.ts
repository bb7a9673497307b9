/** `npm run test:compat`: every released MCP client and agent framework through the gate; see test/compat/main.ts. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { repoRoot } from './cluster/config.ts'

const main = join(repoRoot, 'test/compat/main.ts')
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? 1
