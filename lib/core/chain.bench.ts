import { test } from 'vitest'
import type { IntentBody } from '../api/receipt.ts'
import { canonical, sha256hex } from './canonical.ts'
import { newIncarnation, seal, startChain, verifyReceipts } from './chain.ts'
import { NOW } from './testing/remit.ts'

const incarnation = newIncarnation()
const intent: IntentBody = {
  kind: 'intent',
  agent: { id: 'uid', namespace: 'payments', name: 'billing-bot', createdBy: { username: 'ana', at: '2026-11-21' } },
  owner: { group: 'billing', onCall: ['ana'] },
  remit: { digest: 'a'.repeat(64), generation: 3 },
  call: {
    type: 'tool',
    server: 'billing',
    tool: 'refund',
    argumentsDigest: 'b'.repeat(64),
    argumentsBytes: 70,
    arguments: { invoice_id: 'INV-1007', amount: 12.5, memo: 'as the customer asked on the phone' },
  },
  decision: { effect: 'Allow', rule: 'small', policy: 'billing', reason: 'small allows billing/refund.' },
  trace: { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) },
}
const state = startChain(incarnation, 'uid')
const opening = { kind: 'incarnation', agent: intent.agent, publicKey: incarnation.publicKey } as const
const first = seal(state, 'incarnation', { ...opening, sidecar: { version: '1' } }, NOW, 7)
const second = seal(first.state, 'intent', intent, NOW, 7)

test('one receipt', async ({ bench }) => {
  await bench.compare(
    bench('seal', () => {
      seal(first.state, 'intent', intent, NOW, 7)
    }),
    bench('verify, with the first of its chain', () => {
      verifyReceipts([first.receipt, second.receipt])
    }),
    bench('the body alone: canonical form and digest', () => {
      sha256hex(canonical(intent))
    }),
  )
})
