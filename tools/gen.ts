import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { outputs } from './generators/outputs.ts'

// `npm run gen` writes what is generated from crds/, and the lines that pages link to; with --check it only says which files are not as they would be.
const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const root = join(import.meta.dirname, '..')
const stale: string[] = []
for (const [path, text] of outputs(root)) {
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  stale.push(path)
  if (values.check) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
if (values.check && stale.length > 0) {
  process.stderr.write(`Not as they would be generated: ${stale.join(', ')}. Run npm run gen.\n`)
  process.exitCode = 1
} else {
  process.stdout.write(
    stale.length === 0 ? 'Everything is as it would be generated.\n' : `Wrote ${stale.join(', ')}.\n`,
  )
}
