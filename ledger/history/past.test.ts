import { expect, it } from 'vitest'
import { refuse } from '../../lib/core/standing.ts'
import type { PastRow } from '../store/past.ts'
import { linesOf } from './past.ts'

const denied = (n: number, reason: string): PastRow => ({
  n,
  incarnation: 'abcdefabcdef',
  name: `abcdefabcdef-${n}`,
  kind: 'intent',
  server: 's',
  tool: 't',
  effect: 'Deny',
  policy: null,
  reason,
  intent: null,
  outcome: 'denied',
  class: null,
  facts: null,
  past: n,
})

it('leaves out calls that were denied because the past was not loaded yet', () => {
  const early = refuse('HistoryNotLoaded', { rule: 'the breaker of support' }).reason
  const lines = linesOf([denied(1, early), denied(2, 'No rule allows s/t.')], undefined)
  expect(lines.map((line) => JSON.parse(line).id)).toEqual(['abcdefabcdef-2'])
})
