import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that wait or compute longest. A worker that begins one of them last would be all that still runs. */
const LONGEST = [
  'test/faults/ledger/ledger',
  'test/compat/compat',
  'test/bridge/hostile',
  'test/scale/scale',
  'test/faults/certificates/certificates',
  'test/cli/bundle',
  'test/fuzz/fuzz',
  'cli/diff/diff.property',
  'test/operator/agents',
  'test/bridge/sessions',
  'test/ledger/crash',
  'test/bridge/modern',
  'test/sidecar/pod',
  'test/operator/certificates',
].map((name) => join(import.meta.dirname, `${name}.test.ts`))

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => (LONGEST.includes(moduleId) ? 0 : 1)
    // Stable: among equals, those that failed or took longest the last time, if this machine knows of one.
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

/** Unit tests beside the code and integration tests on a real API server; `test/e2e` needs a cluster and has its own. */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'test/e2e/**'],
    pool: 'forks',
    // On two processors: much of a test is waiting, and each may have an API server of its own.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 120_000,
    setupFiles: ['test/seed.ts'],
    // The same in every run, so that a change is what makes a test fail; `npm run test:properties` tries others.
    provide: { seed: Number(process.env.REMIT_SEED ?? 1) },
  },
})
