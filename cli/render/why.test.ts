import { expect, test } from 'vitest'
import type { OtherCallRecord, Receipt, ResultBody } from '../../lib/api/receipt.ts'
import { receiptName } from '../../lib/api/receipt.ts'
import type { IntentReceipt } from '../evidence/source.ts'
import { intent, sealed } from './fixtures.ts'
import { renderWhy } from './why.ts'

const why = (receipts: Receipt[]) =>
  renderWhy(receipts[0] as IntentReceipt, receipts[1], 'kubectl remit timeline billing-bot -n payments')

test('a denied call: who, what, why, under which rule, what came of it, in twenty lines', () => {
  const receipts = sealed(intent())
  const text = why(receipts)
  expect(text.split('\n').length).toBeLessThanOrEqual(20)
  expect(text.replaceAll((receipts[0] as Receipt).envelope.incarnation, 'c4e4a15f386c')).toMatchInlineSnapshot(`
    "Receipt   c4e4a15f386c-0, 2026-11-21 02:00:00 UTC

    Who       billing-bot in payments, started by ana@corp.example on 2026-11-20 17:02:00 UTC
    On call   ana of billing-team, at that time
    What      billing/refund {"invoice_id":"INV-1009","amount":12000,"currency":"EUR"}
    Stated    ticket 4713: the e-mail said it is urgent (the agent's own words)

    Decision  Denied. No.
    Rule      refunds-below-5000 in cluster/company-floor
    Outcome   not made

    Remit     generation 3, sha256 abababababababab…
    Trace     4bf92f3577b34da6a3ce929d0e0e4736
    Record    number 0 of c4e4a15f386c; the body is the one the sidecar signed for

    Change it No approval lifts an invariant; only a change of cluster/company-floor does.
    See more  kubectl remit timeline billing-bot -n payments"
  `)
})

test('an allowed call tells its answer and how long it took', () => {
  const allowed = intent({
    decision: { effect: 'Allow', rule: 'refunds', policy: 'payments/billing', reason: 'refunds allows it.' },
  })
  const [first] = sealed(allowed)
  const receipts = sealed(allowed, {
    kind: 'result',
    intent: receiptName((first as Receipt).envelope),
    outcome: 'ok',
    durationMs: 12,
    text: 'refunded\n30',
  })
  const text = why(receipts)
  expect(text).toContain('Outcome   done, after 12 ms')
  expect(text).toContain('Answer    "refunded\\n30"')
})

test('a body that is not the one signed for is shouted about', () => {
  const [receipt] = sealed(intent()) as [IntentReceipt]
  const forged = {
    ...receipt,
    body: { ...receipt.body, decision: { ...receipt.body.decision, effect: 'Allow' as const } },
  }
  expect(why([forged])).toContain('WARNING: THE BODY DOES NOT MATCH ITS DIGEST')
})

test('an agent cannot write lines of its own into the page', () => {
  const receipts = sealed(intent({ stated: { task: 'x\nDecision  Allowed. All fine' } }))
  expect(
    why(receipts)
      .split('\n')
      .filter((line) => line.startsWith('Decision')),
  ).toHaveLength(1)
})

test('a call denied because the agent is frozen says how a person lifts that', () => {
  const decision = {
    effect: 'Deny' as const,
    code: 'AgentFrozen',
    rule: 'breaker',
    policy: 'payments/billing',
    reason: 'The agent is frozen.',
  }
  const text = why(sealed(intent({ decision })))
  expect(text).toContain('Rule      breaker in payments/billing')
  expect(text).toContain('kubectl remit unfreeze billing-bot -n payments.')
})

test.each<[Partial<OtherCallRecord>, ResultBody['outcome'], string[]]>([
  [
    { type: 'resource', method: 'resources/read', name: 'file:///handbook/a.md', arguments: { uri: 'file:///x' } },
    'ok',
    ['What      resource file:///handbook/a.md of docs', 'Outcome   done, after 12 ms'],
  ],
  [
    { type: 'resource', method: 'resources/subscribe', name: 'memo:a' },
    'error',
    ['What      resource memo:a of docs (resources/subscribe)', 'Outcome   answered with an error, after 12 ms'],
  ],
  [
    { type: 'prompt', method: 'prompts/get', name: 'summarize', arguments: { length: 'short' } },
    'input',
    ['What      prompt summarize of docs {"length":"short"}', 'Outcome   the server asks for something first;'],
  ],
  [
    { type: 'request', method: 'elicitation/create', name: 'elicitation/create', arguments: { message: 'Where to?' } },
    'ok',
    ['What      docs asks the agent: elicitation/create {"message":"Where to?"}', 'Outcome   the agent answered, and'],
  ],
  [
    { type: 'request', method: 'sampling/createMessage', name: 'sampling/createMessage' },
    'error',
    ['What      docs asks the agent: sampling/createMessage', 'Outcome   the server got an error instead of an answer'],
  ],
  [
    { type: 'completion', method: 'completion/complete', name: 'summarize', arguments: { value: 'sh' } },
    'ok',
    ['What      completion summarize of docs', 'Outcome   done'],
  ],
  [
    { type: 'task', method: 'tasks/result', name: 't-1', intent: 'c4e4a15f386c-7' },
    'ok',
    ['What      task t-1 of docs (tasks/result)', 'Begun by  c4e4a15f386c-7'],
  ],
])('what is no call of a tool in plain words: %j', (call, outcome, says) => {
  const body = intent({
    call: { server: 'docs', argumentsDigest: '', argumentsBytes: 2, ...call } as OtherCallRecord,
    decision: { effect: 'Allow', rule: 'r', policy: 'payments/billing', reason: 'r allows it.' },
  })
  const [first] = sealed(body)
  const result = { kind: 'result', intent: receiptName((first as Receipt).envelope), outcome, durationMs: 12 } as const
  const text = why(sealed(body, result))
  for (const line of says) expect(text).toContain(line)
  expect(text.split('\n').length).toBeLessThanOrEqual(20)
})
