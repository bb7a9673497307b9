import { expect, test } from 'vitest'
import { runLedger } from './run.ts'

// `npm run faults -- ledger` puts four sidecars through every episode; here three share some, so that what only silence
// tells is waited for beside the rest.
const LOUD = [
  'stream reset inside an event',
  '200 of somebody else',
  'acknowledgement of somebody else’s receipts',
  'receipts taken, their answer cut',
  'TLS cut in the handshake',
]

test('every receipt is in the ledger once and every remit arrives, whatever lies between', async () => {
  const sidecars = [['connections half-open'], ['answers held until they are whole'], LOUD]
  const report = await runLedger({ seed: 5, sidecars, callsPerSecond: 20 })
  expect(report).toMatchObject({ lost: 0, doubled: 0, problems: [] })
  expect(report.receipts).toBeGreaterThan(500)
  expect(report.recoveries.length).toBe(sidecars.flat().length)
  // 25 s of silence, at most 5 s of pause, and what a busy machine takes.
  for (const { silent, remitMs, receiptsMs } of report.recoveries)
    expect(Math.max(remitMs, receiptsMs)).toBeLessThan(silent ? 35_000 : 12_000)
}, 300_000)
