import { expect, test } from 'vitest'
import { runCertificates } from './run.ts'

// `npm run faults -- certificates` replaces each certificate a hundred times under ten authorities.
test('certificates and their authority are replaced under load without one failed request', async () => {
  const report = await runCertificates({
    seed: 5,
    rotations: 5,
    authorities: 2,
    authoritySeconds: 20,
    requestsOfEach: 50,
  })
  expect(report).toMatchObject({ failed: 0, failures: [] })
  expect(report.authorities).toBeGreaterThanOrEqual(2)
  const kinds = ['evidence', 'ledger, anew', 'receipts', 'webhook: accepted', 'webhook: refused']
  expect(Object.keys(report.requests).sort()).toEqual(kinds)
}, 300_000)
