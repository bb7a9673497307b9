import { expect, test } from 'vitest'
import { runMcp } from './run.ts'

// `npm run faults -- mcp` makes thousands of calls, waits longer for silence, and sees sockets and timers go.
test('agents, record and servers tell the same of every call, whatever lies between', async () => {
  const report = await runMcp({ seed: 1, calls: 160, each: 1, idleMs: 1_200, killMs: 4_000, settleMs: 0 })
  expect(report).toMatchObject({ problems: [], errors: [] })
  expect(report.came.answered).toBeGreaterThan(20)
  expect(Object.keys(report.thrown).length).toBeGreaterThan(10)
  // What a busy machine takes.
  expect(report.overdueMs).toBeLessThan(5_000)
  expect(report.afterwardsMs).toBeLessThan(5_000)
}, 120_000)
