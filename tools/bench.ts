/** `npm run bench [-- NAME...]`: every file of test/bench, one after the other, each in a process of its own. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build/bundles.ts'
import { repoRoot } from './cluster/config.ts'

const dir = join(repoRoot, 'test/bench')
const names = readdirSync(dir, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => entry.name.slice(0, -3))
  .sort()
const wanted = process.argv.length > 2 ? process.argv.slice(2) : names
for (const { output, bytes } of await build()) console.log(`${output}: ${Math.round(bytes / 1024)} KiB`)
for (const name of wanted) {
  if (!names.includes(name)) throw new Error(`there is no benchmark ${name}; there is: ${names.join(', ')}`)
  console.log(`\n== ${name}`)
  const { status } = spawnSync(process.execPath, [join(dir, `${name}.ts`)], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
