import { expect, test } from 'vitest'
import { runReaders } from './readers.ts'

// `npm run faults -- readers` does it with 1,000.
test('who does not read its stream hurts neither those who do nor the ledger', async () => {
  const { readers, beside, ledgerMiB } = await runReaders({ readers: 60, remits: 3, samples: 5, again: 1 })
  expect(readers).toBe(60)
  expect(beside.remit.p99).toBeLessThan(5_000)
  expect(beside.receipts.p99).toBeLessThan(5_000)
  expect(Math.max(...ledgerMiB.written)).toBeLessThan(384)
}, 300_000)
