import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { repoRoot } from './config.ts'
import { versions } from './versions.ts'

const read = (path: string) => readFileSync(join(repoRoot, 'tools/cluster/go', path), 'utf8')
type Component = { gomod: string }
const { dist, ...parts } = load(read('otelcol/builder-config.yaml')) as {
  dist: { version: string }
} & Record<string, Component | Component[]>
const components = Object.values(parts).flat() as Component[]

test('the collector and its builder are of one version', () => {
  expect(dist.version).toBe(versions.collector)
  expect(read('otel-builder/go.mod')).toContain(`require go.opentelemetry.io/collector/cmd/builder v${dist.version}\n`)
})

test.each(components)('go.mod pins what the builder is told: $gomod', ({ gomod }) => {
  expect(read('otelcol/go.mod')).toContain(`\t${gomod}\n`)
})
