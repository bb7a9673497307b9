import { expect, test } from 'vitest'
import { sealed } from './fixtures.ts'
import type { FreezeReceipt } from './freeze.ts'
import { renderFreeze } from './freeze.ts'

const [receipt] = sealed({
  kind: 'escalation',
  code: 'AgentFrozen',
  policy: 'payments/billing',
  detail: '3 denials in a row\u001b[2J',
}) as [FreezeReceipt]

test('what froze it, when, that it was signed, and how it is lifted', () => {
  const text = renderFreeze(receipt, 'billing-bot -n payments')
  expect(text.replaceAll(receipt.envelope.incarnation, 'c4e4a15f386c')).toMatchInlineSnapshot(`
    "Receipt   c4e4a15f386c-0, 2026-11-21 02:00:00 UTC
    What      the agent was frozen: 3 denials in a row\\u{1b}[2J
    Rule      breaker in payments/billing
    Outcome   every call from then on is denied until a person unfreezes the agent
    Record    number 0 of c4e4a15f386c; the body is the one the sidecar signed for
    See why   kubectl remit timeline billing-bot -n payments
    Lift it   kubectl remit unfreeze billing-bot -n payments"
  `)
})

test('without a name no command that would not work', () => {
  expect(renderFreeze(receipt, undefined)).not.toContain('kubectl')
})
