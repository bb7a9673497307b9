import { expect, test } from 'vitest'
import type { CallRecord, DecisionRecord, Receipt } from '../../lib/api/receipt.ts'
import { linesOf } from '../history/past.ts'
import type { PastRow } from './past.ts'
import { toRow } from './rows.ts'

const AT = Date.parse('2026-10-05T02:00:00Z')
const intent = (call: CallRecord, decision: DecisionRecord = { effect: 'Allow', reason: 'so' }): Receipt => ({
  envelope: {
    v: 1,
    kind: 'intent',
    agent: 'id',
    incarnation: 'abcdefabcdef',
    epoch: 1,
    seq: 3,
    prev: '',
    time: new Date(AT).toISOString(),
    body: '',
    sig: '',
  },
  body: {
    kind: 'intent',
    agent: { id: 'id', namespace: 'payments', name: 'bot', createdBy: { username: 'ana', at: '' } },
    owner: { group: 'team', onCall: ['ana'] },
    remit: { digest: '', generation: 1 },
    call,
    decision,
  },
})
const row = (receipt: Receipt) =>
  toRow({ at: '', namespace: 'payments', agent: 'bot', hash: '', receipt }, { n: 1, segment: 1, offset: 0, length: 1 })
const other = (type: 'resource' | 'prompt' | 'request' | 'completion' | 'task', method: string, name: string) =>
  ({ type, server: 'docs', method, name, argumentsDigest: '', argumentsBytes: 2, arguments: { a: 'b' } }) as const

test.each([
  [other('resource', 'resources/read', 'file:///a.md'), 'docs resource file:///a.md'],
  [other('prompt', 'prompts/get', 'summarize'), 'docs prompt summarize'],
  [other('request', 'elicitation/create', 'elicitation/create'), 'docs asks elicitation/create'],
  [other('completion', 'completion/complete', 'summarize'), 'docs completion summarize'],
  [other('task', 'tasks/result', 't-1'), 'docs task t-1'],
])('what is no call of a tool can be selected and read in a table: $type', (call, action) => {
  const { type, server, method, name: target } = call
  expect(row(intent(call))).toMatchObject({
    action,
    type,
    server,
    method,
    target,
    tool: null,
    class: null,
    facts: null,
  })
})

test('a history is told of reads as such, with nothing of what was read', () => {
  const told = (receipt: Receipt, outcome: string | null = 'ok') =>
    linesOf([{ ...row(receipt), outcome, past: AT } as PastRow], 'abcdefabcdef').map((line) => JSON.parse(line))
  const denied = { effect: 'Deny', code: 'NoRuleAllows', reason: 'No.' } as const
  const read = { kind: 'read', id: 'abcdefabcdef-3', at: AT, server: 'docs' }
  expect(told(intent(other('resource', 'resources/read', 'file:///a.md')))).toEqual([{ ...read, effect: 'Allow' }])
  expect(told(intent(other('prompt', 'prompts/get', 'greet'), denied))).toEqual([{ ...read, effect: 'Deny' }])
  const lost = linesOf([{ ...row(intent(other('prompt', 'prompts/get', 'greet'))), past: AT } as PastRow], 'other')
  expect(lost.map((line) => JSON.parse(line))).toEqual([
    { ...read, effect: 'Allow' },
    { kind: 'result', id: 'abcdefabcdef-3', at: AT, outcome: 'unknown' },
  ])
})
