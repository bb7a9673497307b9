import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build, bundleTable } from './build/bundles.ts'
import { repoRoot } from './cluster/config.ts'

const dist = join(repoRoot, 'dist')
mkdirSync(dist, { recursive: true })
const wanted = process.argv.slice(2)
const made = await build(wanted.length > 0 ? wanted : bundleTable().map((bundle) => bundle.output), dist)
for (const { output, bytes } of made)
  console.log(`dist/${output.padEnd(20)} ${(bytes / 1024).toFixed(0).padStart(6)} KiB`)
