import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CONDITIONS } from './condition-table.ts'

const page = readFileSync(new URL('../../docs/conditions.md', import.meta.url), 'utf8')
const rows = page
  .split('\n')
  .map((line) => /^\| `(\w+)` \| (True|False|Unknown) \| `(\w+)` \| (.+) \| (.+) \|$/.exec(line)?.slice(1))
  .filter((row) => row !== undefined)
  .map((row) => row.join(' | '))

test('docs/conditions.md has exactly the conditions that are written, and says of each what to do', () => {
  const written = Object.entries(CONDITIONS).flatMap(([type, reasons]) =>
    Object.entries(reasons).map(([reason, { status, meaning, remedy }]) =>
      [type, status, reason, meaning, remedy].join(' | '),
    ),
  )
  expect(rows).toEqual(written)
})
