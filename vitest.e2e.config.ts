import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that keep to namespaces of their own, and mostly wait for pods: three at once. All others measure how soon
 * something happens, or take from everybody what they stand on, so they run alone, one after the other.
 */
const BESIDE = ['10-main-job', '30-isolation', '40-admission', '50-heal', '70-model', '85-limits'].map(
  (name) => `test/e2e/${name}.test.ts`,
)

/** By name: what takes the installation apart comes last, whatever took longest or failed before. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder
    return files.toSorted((a, b) => groupOf(a) - groupOf(b) || (a.moduleId < b.moduleId ? -1 : 1))
  }
}

const common = { pool: 'forks' as const, testTimeout: 120_000, hookTimeout: 300_000 }

export default defineConfig({
  test: {
    globalSetup: ['test/e2e/support/leftovers.ts'],
    sequence: { sequencer: ByName },
    projects: [
      { test: { ...common, name: 'beside', include: BESIDE, maxWorkers: 3, sequence: { groupOrder: 1 } } },
      {
        test: {
          ...common,
          name: 'alone',
          include: ['test/e2e/**/*.test.ts'],
          exclude: BESIDE,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
