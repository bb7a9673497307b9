import { describe, expect, test } from 'vitest'
import type { PolicySpec } from '../../lib/api/gen/types.ts'
import type {
  CallRecord,
  DecisionRecord,
  OtherCallRecord,
  Receipt,
  ReceiptBody,
  ResultBody,
} from '../../lib/api/receipt.ts'
import { remitOf } from '../../lib/core/testing/remit.ts'
import { intent } from '../render/fixtures.ts'
import { renderDiff, renderMarkdown, renderReplay, replayJson } from '../render/replay.ts'
import { byTool, isWider } from './changes.ts'
import { replay } from './replay.ts'
import { labelOf } from './what.ts'

const DAY = '2026-11-21'
const SINCE = Date.parse(`${DAY}T00:00:00Z`)
const at = (time: string, seq: number, body: ReceiptBody, where = { incarnation: 'abc', agent: 'one' }): Receipt => ({
  envelope: { v: 1, kind: body.kind, epoch: 0, prev: '', body: '', sig: '', seq, time: `${DAY}T${time}Z`, ...where },
  body,
})
const ALLOWED: DecisionRecord = {
  effect: 'Allow',
  rule: 'refunds',
  policy: 'payments/old',
  reason: 'refunds allows it.',
}
const called = (amount: number | undefined, decision = ALLOWED, over: Partial<CallRecord> = {}) =>
  intent({
    call: {
      type: 'tool',
      server: 'billing',
      tool: 'refund',
      argumentsDigest: '',
      argumentsBytes: 9,
      ...(amount === undefined ? {} : { arguments: { amount } }),
      ...over,
    } as CallRecord,
    decision,
  })
const result = (of: number, outcome: ResultBody['outcome'] = 'ok', incarnation = 'abc'): ResultBody => ({
  kind: 'result',
  intent: `${incarnation}-${of}`,
  outcome,
  durationMs: 5,
})
const match = { tools: ['refund'] }
const upTo = (max: string): PolicySpec => ({
  tools: [{ name: 'refunds', match, effect: 'Allow', where: [{ arg: 'amount', max }], otherwise: 'Ask' }],
})
const run = (spec: PolicySpec, receipts: Receipt[]) => replay(remitOf([spec]), receipts, SINCE)
const effects = (spec: PolicySpec, receipts: Receipt[]) => run(spec, receipts).replayed.map(({ now }) => now.effect)

describe('the past is as it really was', () => {
  const sum: PolicySpec = {
    tools: [
      { name: 'refunds', match, effect: 'Allow', limits: [{ sum: 'amount', max: '100', per: '1h' }], otherwise: 'Ask' },
    ],
  }

  test('what was made counts though the candidate would not have made it; what was not made does not', () => {
    const denied: DecisionRecord = { effect: 'Deny', code: 'NoRuleAllows', reason: 'No.' }
    const receipts = [
      at('02:00:00', 0, called(80)),
      at('02:00:01', 1, result(0)),
      at('02:00:02', 2, called(40)),
      at('02:00:03', 3, result(2)),
    ]
    expect(effects(sum, receipts)).toEqual(['Allow', 'Ask'])
    const more = [...receipts, at('02:00:04', 4, called(10))]
    expect(effects(sum, more)).toEqual(['Allow', 'Ask', 'Ask'])
    const never = [at('02:00:00', 0, called(80, denied)), at('02:00:02', 2, called(40))]
    expect(effects(sum, never)).toEqual(['Allow', 'Allow'])
  })

  test('what failed is free again, and from when it failed', () => {
    const failed = (time: string) => [
      at('02:00:00', 0, called(80)),
      at('02:00:05', 2, called(40)),
      at(time, 3, result(0, 'error')),
    ]
    const meanwhile = failed('02:00:06')
    expect(effects(sum, meanwhile)).toEqual(['Allow', 'Ask'])
    const before = [at('02:00:00', 0, called(80)), at('02:00:04', 1, result(0, 'error')), at('02:00:05', 2, called(40))]
    expect(effects(sum, before)).toEqual(['Allow', 'Allow'])
  })

  test('calls from before the time asked about are part of the past, and not replayed', () => {
    const { replayed } = replay(
      remitOf([sum]),
      [at('02:00:00', 0, called(80)), at('02:30:00', 1, called(40))],
      Date.parse(`${DAY}T02:15:00Z`),
    )
    expect(replayed.map(({ receipt, now }) => [receipt, now.effect])).toEqual([['abc-1', 'Ask']])
  })

  test('pods are put in order by time; another agent of the name has a past of its own', () => {
    const second = { incarnation: 'def', agent: 'one' }
    const stranger = { incarnation: '999', agent: 'two' }
    const receipts = [
      at('02:10:00', 0, called(40), second),
      at('02:10:00', 0, called(40), stranger),
      at('02:00:00', 0, called(80)),
    ]
    expect(run(sum, receipts).replayed.map(({ receipt, now }) => [receipt, now.effect])).toEqual([
      ['abc-0', 'Allow'],
      ['def-0', 'Ask'],
      ['999-0', 'Allow'],
    ])
  })

  test('a clock that was set back does not turn the order of one pod', () => {
    const receipts = [
      at('02:10:00', 0, called(80)),
      at('01:00:00', 1, result(0, 'error')),
      at('01:00:01', 2, called(40)),
    ]
    expect(effects(sum, receipts)).toEqual(['Allow', 'Allow'])
  })

  test('a breaker that would have opened is told, and what follows is still decided', () => {
    const denied: DecisionRecord = { effect: 'Deny', code: 'NoRuleAllows', reason: 'No.' }
    const receipts = [
      at('02:00:00', 0, called(1, denied)),
      at('02:00:01', 1, called(1, denied)),
      at('02:00:02', 2, called(1)),
    ]
    const { opened, replayed } = run({ ...upTo('5'), breaker: { denials: 2 } }, receipts)
    expect(opened).toEqual([
      { time: `${DAY}T02:00:01Z`, policy: 'payments/p0', detail: '2 calls in a row were denied' },
    ])
    expect(replayed.map(({ now }) => now.effect)).toEqual(['Allow', 'Allow', 'Allow'])
  })
})

describe('what cannot be replayed is counted, never guessed', () => {
  const code = (name: string): DecisionRecord => ({ effect: 'Deny', code: name, reason: 'No.' })
  test.each([
    ['arguments too large', called(undefined), 'too large'],
    [
      'a redacted argument',
      called(0, ALLOWED, { arguments: { to: [{ 'dev.remit/commitment': 'sha256:00' }] } } as never),
      'redacted',
    ],
    ['a suspended agent', called(1, code('AgentSuspended')), 'suspended'],
    ['a server that was not declared', called(1, code('UnknownServer')), 'not declared'],
  ])('%s', (_, body, why) => {
    const { replayed, skipped } = run(upTo('5'), [at('02:00:00', 0, body)])
    expect(replayed).toEqual([])
    expect(skipped).toEqual([expect.objectContaining({ receipt: 'abc-0', why: expect.stringContaining(why) })])
  })

  test('an object that would have had to be read', () => {
    const object = { read: 'billing/get_invoice', where: [{ arg: 'owner', equals: 'ana' }] }
    const { skipped } = run({ tools: [{ name: 'refunds', match, effect: 'Allow', object }] }, [
      at('02:00:00', 0, called(1)),
    ])
    expect(skipped[0]?.why).toContain('billing/get_invoice')
  })

  test('calls of models are not of tools', () => {
    const model = intent({
      call: { type: 'model', model: 'main', method: 'POST', path: '/', requestDigest: '', requestBytes: 1 },
    })
    expect(run(upTo('5'), [at('02:00:00', 0, model)])).toEqual({
      replayed: [],
      skipped: [],
      withoutAnswer: 0,
      opened: [],
    })
  })
})

describe('what is no call of a tool', () => {
  const other = (over: Partial<OtherCallRecord>, decision = ALLOWED) =>
    intent({
      call: { server: 'mail', method: 'm', argumentsDigest: '', argumentsBytes: 2, ...over } as OtherCallRecord,
      decision,
    })
  const spec: PolicySpec = {
    tools: [{ name: 'refunds', match, effect: 'Allow' }],
    resources: [{ name: 'handbook', match: { uris: ['file:///handbook/*'] }, effect: 'Allow' }],
    prompts: [
      { name: 'summaries', match: { prompts: ['summ*'] }, effect: 'Allow', where: [{ arg: 'a', equals: 'b' }] },
    ],
    requests: [
      {
        name: 'forms',
        match: { methods: ['elicitation/create'] },
        effect: 'Allow',
        answer: [{ arg: 'content.password', absent: true }],
      },
    ],
    taint: [{ name: 'careful', after: { servers: ['mail'] }, match: { tools: ['*'] } }],
  }

  test('is decided by the candidate, with the past as it was', () => {
    const receipts = [
      at('02:00:00', 0, called(1)),
      at('02:00:01', 1, other({ type: 'resource', name: 'file:///handbook/a.md' })),
      at('02:00:02', 2, called(1)),
      at('02:00:03', 3, other({ type: 'resource', name: 'file:///etc/passwd' })),
      at('02:00:04', 4, other({ type: 'prompt', name: 'summarize', arguments: { a: 'c' } })),
      at('02:00:05', 5, other({ type: 'request', name: 'elicitation/create', arguments: { message: '?' } })),
      at('02:00:06', 6, other({ type: 'completion', name: 'summarize', arguments: {} })),
      at('02:00:07', 7, other({ type: 'task', name: 't-1' })),
      at('02:00:08', 8, other({ type: 'prompt', name: 'summarize' })),
    ]
    const outcome = run(spec, receipts)
    expect(outcome.replayed.map(({ what, now }) => [labelOf(what), now.effect])).toEqual([
      ['billing/refund', 'Allow'],
      ['mail resource file:///handbook/a.md', 'Allow'],
      ['billing/refund', 'Ask'],
      ['mail resource file:///etc/passwd', 'Deny'],
      ['mail prompt summarize', 'Deny'],
      ['mail asks elicitation/create', 'Allow'],
    ])
    expect(outcome.skipped.map(({ why }) => why)).toEqual([
      'that complete an argument, which whatever is offered may',
      'of tasks, which go by the call that began them',
      'whose arguments were too large to be recorded',
    ])
    const text = renderReplay(outcome, { agent: 'bot', since: SINCE, candidate: 'new.yaml' })
    expect(text).toContain('Answers of the agent are not recorded, so 1 request that a server made may be refused yet.')
    expect(text).toMatch(/mail resource file:\/\/\/etc\/passwd +1 +0 +0 +0 +1 +1 Allow -> Deny/)
    const json = replayJson(outcome, { agent: 'bot', since: SINCE, candidate: 'new.yaml' })
    expect(json.changed.map(({ receipt: _, time: __, was: ___, now: ____, ...rest }) => rest)).toContainEqual({
      server: 'mail',
      resource: 'file:///etc/passwd',
      wider: false,
    })
  })
})

describe('what a person reads', () => {
  const asked: DecisionRecord = {
    effect: 'Ask',
    code: 'WaitingForPerson',
    rule: 'refunds',
    policy: 'payments/old',
    reason: 'Wait.',
  }
  const receipts = [
    at('02:00:00', 0, called(5)),
    at('02:00:01', 1, called(50)),
    at('02:00:02', 2, called(7, asked)),
    at('02:00:03', 3, called(undefined)),
  ]
  const about = { agent: 'billing-bot', since: SINCE, candidate: 'new.yaml' }
  const outcome = run(upTo('10'), receipts)

  test('counts by tool and change', () => {
    expect(byTool(outcome.replayed)).toEqual([
      {
        what: { type: 'tool', server: 'billing', tool: 'refund' },
        calls: 3,
        now: { Allow: 2, Draft: 0, Ask: 1, Deny: 0 },
        changes: [
          { was: 'Allow', now: 'Ask', calls: 1 },
          { was: 'Ask', now: 'Allow', calls: 1 },
        ],
      },
    ])
    expect(outcome.replayed.map(isWider)).toEqual([false, false, true])
  })

  test('as a table', () => {
    expect(renderReplay(outcome, about)).toBe(
      [
        '4 calls of billing-bot since 2026-11-21 00:00:00 UTC, 3 replayed against new.yaml: 2 decided otherwise, 1 of them wider and 1 narrower.',
        '1 call cannot be replayed: 1 whose arguments were too large to be recorded.',
        '',
        'WHAT             CALLS   ALLOW   DRAFT   ASK   DENY   CHANGED',
        'billing/refund   3       2       0       1     0      1 Allow -> Ask, 1 Ask -> Allow',
        '',
        'See each call with -o diff.',
      ].join('\n'),
    )
  })

  test('as a diff', () => {
    expect(renderDiff(outcome.replayed, 'new.yaml').split('\n').slice(0, 6)).toEqual([
      '--- as recorded',
      '+++ new.yaml',
      '@@ abc-1, 2026-11-21 02:00:01 UTC @@',
      ' billing/refund {"amount":50}',
      '-Allow by refunds in payments/old: refunds allows it.',
      '+Ask by refunds in payments/p0: amount is 50; refunds allows at most 10. This call is waiting for ana.',
    ])
    expect(renderDiff(run(upTo('90'), receipts.slice(0, 2)).replayed, 'new.yaml')).toBe('')
  })

  test('for a pull request, which an argument cannot break out of', () => {
    const hostile = called(0, ALLOWED, { arguments: { amount: 99, memo: '\n```\n# <b>owned</b> ````' } } as never)
    const page = renderMarkdown(run(upTo('10'), [at('02:00:00', 0, hostile)]), about)
    const lines = page.split('\n')
    expect(lines.filter((line) => line.startsWith('`'))).toEqual(['`````diff', '`````'])
    expect(lines.some((line) => line.startsWith('# '))).toBe(false)
    expect(page).toContain('| billing/refund | 1 | 0 | 0 | 1 | 0 | 1 Allow -\\> Ask |')
  })
})
