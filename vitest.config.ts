import { defineConfig } from 'vitest/config'

/** Unit tests beside the code and integration tests on a real API server; `test/e2e` needs a cluster and has its own. */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'test/e2e/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
})
