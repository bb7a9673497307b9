import { expect, test } from 'vitest'
import type { Receipt } from '../../lib/api/receipt.ts'
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
