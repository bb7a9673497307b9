import { expect, test } from 'vitest'
import { runKube } from './run.ts'

// `npm run faults -- kube` does the same with 100,000 changes of any seed; this seed never changes.
test('no change is missed through whatever the network does, and a resync writes nothing', async () => {
  const report = await runKube({ seed: 5, changes: 3_000, rounds: 2, betweenMs: 100 })
  expect(report).toMatchObject({ changes: 3_000, missed: 0, wentBack: 0, writesOnResync: 0, problems: [] })
  expect(Object.keys(report.troubles).length).toBeGreaterThan(8)
  expect(report.applied).toBeGreaterThan(100)
  // Half a minute is what a machine that does other things too may take; by itself it is a second or two.
  expect(report.settledMs).toBeLessThan(30_000)
}, 300_000)
