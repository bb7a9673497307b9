import { expect, it } from 'vitest'
import { versionProblem, versionsIn } from './version.ts'

it.each<[string[] | undefined, RegExp | undefined]>([
  [['2026-07-28'], undefined],
  [['2026-07-28, 2026-07-28'], undefined],
  [['2026-07-28', '2026-07-28'], undefined],
  [undefined, /is missing/],
  [[''], /is missing/],
  [['2025-11-25'], /is not/],
  [['2026-07-28, 2025-11-25'], /is not/],
  [['2025-11-25', '2026-07-28'], /is not/],
])('of %j for a body of 2026-07-28 is told', (values, problem) => {
  const found = versionProblem({ 'mcp-protocol-version': values }, '2026-07-28')
  if (problem) expect(found).toMatch(problem)
  else expect(found).toBeUndefined()
})

it('names versions one by one', () => {
  expect(versionsIn({ 'mcp-protocol-version': ['a, b', ' c'] })).toEqual(['a', 'b', 'c'])
})
