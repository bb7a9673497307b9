import { expect, test } from 'vitest'
import type { Row } from '../store/rows.ts'
import { age, COLUMNS, cells } from './table.ts'

test.each([
  [-5_000, '0s'],
  [59_000, '59s'],
  [119_999, '119s'],
  [120_000, '2m'],
  [125_000, '2m5s'],
  [600_000, '10m'],
  [3 * 3_600_000, '3h'],
  [3 * 3_600_000 + 300_000, '3h5m'],
  [8 * 3_600_000, '8h'],
  [47 * 3_600_000, '47h'],
  [50 * 3_600_000, '2d2h'],
  [400 * 86_400_000, '400d'],
])('age of %d ms is %s', (ms, text) => {
  expect(age(ms)).toBe(text)
})

const row: Row = {
  n: 1,
  segment: 1,
  offset: 0,
  length: 1,
  namespace: 'payments',
  agent: 'bot',
  agent_id: 'id',
  incarnation: 'abcdefabcdef',
  seq: 1,
  hash: '',
  name: 'abcdefabcdef-1',
  kind: 'intent',
  time: 0,
  action: 'billing/refund',
  type: 'tool',
  server: 'billing',
  tool: 'refund',
  method: null,
  target: null,
  effect: 'Allow',
  code: null,
  rule: 'small-refunds',
  policy: 'payments/billing',
  reason: 'It is small.',
  on_call: 'ana',
  intent: null,
  outcome: null,
  outcome_n: null,
  class: null,
  facts: null,
}
const shown = (change: Partial<Row>) =>
  Object.fromEntries(cells({ ...row, ...change }, 5_000).map((cell, i) => [COLUMNS[i]?.name, cell]))

test('an intent without a result is pending; other kinds say what happened', () => {
  expect(shown({})).toMatchObject({
    Action: 'refund',
    Outcome: 'pending',
    Rule: 'small-refunds',
    Age: '5s',
    Call: 'billing/refund',
  })
  expect(shown({ type: 'model', tool: null, server: null, action: 'main /v1/chat/completions' })).toMatchObject({
    Action: 'model main',
  })
  expect(shown({ kind: 'remit', action: 'remit 3', tool: null })).toMatchObject({
    Action: 'new remit',
    Outcome: '',
    Call: '',
  })
})

test('what is neither a tool nor a model is named by its end, with what it is', () => {
  const other = (type: string, target: string): Partial<Row> => ({
    type,
    target,
    tool: null,
    server: 'docs',
    action: `docs ${type} ${target}`,
  })
  const uri = 'file:///handbook/on-call/first-steps.md'
  expect(shown(other('resource', uri))).toMatchObject({
    Action: 'resource …call/first-steps.md',
    Call: `docs resource ${uri}`,
  })
  expect(shown(other('resource', 'memo:insights')).Action).toBe('resource memo:insights')
  expect(shown(other('prompt', 'summarize')).Action).toBe('prompt summarize')
  expect(shown(other('request', 'elicitation/create')).Action).toBe('asks elicitation/create')
})

test('nothing an agent says can move a terminal’s cursor or turn its text around', () => {
  const cell = shown({ rule: 'a\u001b[2J\r\nb\u009b\u202ec\u200b' }).Rule
  expect(cell).toBe('a?[2J??b??c?')
})
