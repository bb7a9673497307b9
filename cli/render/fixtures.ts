import type { IntentBody, Receipt, ReceiptBody } from '../../lib/api/receipt.ts'
import { newIncarnation, seal, startChain } from '../../lib/core/chain.ts'

const AGENT = { id: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', namespace: 'payments', name: 'billing-bot' }

export const intent = (over: Partial<IntentBody> = {}): IntentBody => ({
  kind: 'intent',
  agent: { ...AGENT, createdBy: { username: 'ana@corp.example', at: '2026-11-20T17:02:00Z' } },
  owner: { group: 'billing-team', onCall: ['ana'] },
  remit: { digest: 'ab'.repeat(32), generation: 3 },
  call: {
    type: 'tool',
    server: 'billing',
    tool: 'refund',
    argumentsDigest: 'cd'.repeat(32),
    argumentsBytes: 60,
    arguments: { invoice_id: 'INV-1009', amount: 12000, currency: 'EUR' },
  },
  stated: { task: 'ticket 4713', reason: 'the e-mail said it is urgent' },
  decision: {
    effect: 'Deny',
    code: 'DeniedByInvariant',
    rule: 'refunds-below-5000',
    policy: 'cluster/company-floor',
    reason: 'No.',
  },
  trace: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' },
  ...over,
})

/** Receipts as a sidecar would have sealed them, one second apart from 02:00. */
export const sealed = (...bodies: ReceiptBody[]): Receipt[] => {
  let state = startChain(newIncarnation(), AGENT.id)
  return bodies.map((body, index) => {
    const step = seal(state, body.kind, body, Date.UTC(2026, 10, 21, 2, 0, index), 1)
    state = step.state
    return step.receipt
  })
}
