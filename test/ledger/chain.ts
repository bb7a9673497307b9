import type { CallRecord, Effect, Receipt, ReceiptBody } from '../../lib/api/receipt.ts'
import { sha256hex } from '../../lib/core/canonical.ts'
import { newIncarnation, seal, startChain } from '../../lib/core/chain.ts'

export interface Chain {
  incarnation: string
  /** The first receipt of the container start. */
  first: Receipt
  /** `at` in milliseconds since the epoch. */
  next(body: ReceiptBody, at?: number): Receipt
  intent(tool?: string, effect?: Effect, more?: { at?: number; call?: Partial<CallRecord & { type: 'tool' }> }): Receipt
  result(intent: Receipt, outcome?: 'ok' | 'error', at?: number): Receipt
}

const digest = sha256hex('test')

/** A sidecar's chain, made with the code the sidecar uses. */
export const newChain = (
  agent: { namespace: string; name: string; id: string },
  pod: { name: string; uid: string },
): Chain => {
  const incarnation = newIncarnation()
  let state = startChain(incarnation, agent.id)
  const next = (body: ReceiptBody, at = Date.now()): Receipt => {
    const sealed = seal(state, body.kind, body, at, 1)
    state = sealed.state
    return sealed.receipt
  }
  const first = next({
    kind: 'incarnation',
    agent: { id: agent.id, namespace: agent.namespace, name: agent.name },
    podName: pod.name,
    podUID: pod.uid,
    publicKey: incarnation.publicKey,
    sidecar: { version: 'test' },
  })
  return {
    incarnation: incarnation.id,
    first,
    next,
    intent: (tool = 'get_invoice', effect = 'Allow', { at, call } = {}) =>
      next(
        {
          kind: 'intent',
          agent: {
            id: agent.id,
            namespace: agent.namespace,
            name: agent.name,
            createdBy: { username: 'ana@corp.example', at: '2026-10-05T02:00:00Z' },
          },
          owner: { group: 'billing-team', onCall: ['ana'] },
          remit: { digest, generation: 1 },
          call: {
            type: 'tool',
            server: 'billing',
            tool,
            argumentsDigest: digest,
            argumentsBytes: 2,
            arguments: {},
            ...call,
          },
          decision: {
            effect,
            rule: 'read-anything',
            policy: `${agent.namespace}/billing`,
            reason: 'The rule read-anything allows it.',
          },
        },
        at,
      ),
    result: (intent, outcome = 'ok', at) =>
      next(
        {
          kind: 'result',
          intent: `${intent.envelope.incarnation}-${intent.envelope.seq}`,
          outcome,
          durationMs: 12.5,
        },
        at,
      ),
  }
}
