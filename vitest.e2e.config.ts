import { defineConfig } from 'vitest/config'

/** One cluster, so one file after the other, in the order of their names. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    sequence: { shuffle: false },
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
})
