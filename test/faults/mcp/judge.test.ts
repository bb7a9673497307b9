import { expect, test } from 'vitest'
import type { ReceiptBody, ResultBody } from '../../../lib/api/receipt.ts'
import { receiptName } from '../../../lib/api/receipt.ts'
import { sha256hex } from '../../../lib/core/canonical.ts'
import { newIncarnation, seal, startChain } from '../../../lib/core/chain.ts'
import type { Call, Came } from './agent.ts'
import { judgeCalls } from './judge.ts'

const AT = Date.parse('2026-11-21T10:00:00Z')
const ARGS = { id: 'a-1' }

interface Story {
  came: Came
  effect?: 'Allow' | 'Deny'
  intents?: number
  results?: Pick<ResultBody, 'outcome' | 'text'>[]
  /** When the server did it, milliseconds after the intent. */
  done?: number[]
}

const judged = ({ came, effect = 'Allow', intents = 1, results = [], done = [] }: Story): string[] => {
  let chain = startChain(newIncarnation(), 'agent')
  const receipts: ReturnType<typeof seal>['receipt'][] = []
  const record = (body: ReceiptBody) => {
    const sealed = seal(chain, body.kind, body, AT, 0)
    chain = sealed.state
    receipts.push(sealed.receipt)
    return receiptName(sealed.receipt.envelope)
  }
  record({
    kind: 'incarnation',
    agent: { id: 'agent', namespace: 'n', name: 'a' },
    publicKey: chain.incarnation.publicKey,
    sidecar: { version: '0' },
  })
  for (let nth = 0; nth < intents; nth++) {
    const intent = record({
      kind: 'intent',
      agent: { id: 'agent', namespace: 'n', name: 'a', createdBy: { username: 'ana', at: '2026-11-21T10:00:00Z' } },
      owner: { group: 'g', onCall: [] },
      remit: { digest: '', generation: 1 },
      call: {
        type: 'tool',
        server: 's',
        tool: 'pay',
        argumentsDigest: sha256hex(JSON.stringify(ARGS)),
        argumentsBytes: 1,
      },
      decision: { effect, reason: '' },
    })
    for (const result of results) record({ kind: 'result', intent, durationMs: 1, ...result })
  }
  const call: Call = { server: 's', tool: 'pay', arguments: ARGS, came, tookMs: 1, direct: true, text: '' }
  const works = done.map((after) => ({ tool: 'pay', id: ARGS.id, at: AT + after }))
  return judgeCalls({ calls: [call], receipts, done: { s: works } }).problems
}

const OK = { outcome: 'ok' } as const
const UNSURE = { outcome: 'unreachable', text: 'Whether the call took effect is unknown.' } as const
const UNSENT = { outcome: 'unreachable', text: 'connection refused' } as const

test.each<[string, Story]>([
  ['done and said', { came: 'answered', results: [OK], done: [1] }],
  ['done, and nobody can know', { came: 'told', results: [UNSURE], done: [1] }],
  ['not done, and nobody can know', { came: 'told', results: [UNSURE] }],
  ['never sent', { came: 'told', results: [UNSENT] }],
  ['denied', { came: 'denied', effect: 'Deny' }],
  ['an answer that was lost', { came: 'failed', results: [OK], done: [1] }],
  ['a call that was lost', { came: 'failed', intents: 0 }],
])('%s is one story', (_name, story) => expect(judged(story)).toEqual([]))

test.each<[string, Story, RegExp]>([
  ['twice in the record', { came: 'answered', intents: 2, results: [OK], done: [1] }, /2 intents/],
  ['done twice', { came: 'answered', results: [OK], done: [1, 2] }, /done 2 times/],
  ['done before its intent', { came: 'answered', results: [OK], done: [-1] }, /before its intent/],
  ['done and in no record', { came: 'failed', intents: 0, done: [1] }, /not in the record/],
  ['without a result', { came: 'failed', done: [1] }, /0 results/],
  ['two results', { came: 'failed', results: [OK, UNSURE], done: [1] }, /2 results/],
  ['done though denied', { came: 'denied', effect: 'Deny', done: [1] }, /done though denied/],
  ['ok and not done', { came: 'failed', results: [OK] }, /not done, and the record says ok/],
  [
    'done and told to be unsent',
    { came: 'told', results: [UNSENT], done: [1] },
    /done, and the record says unreachable/,
  ],
  ['answered and unknown', { came: 'answered', results: [UNSURE], done: [1] }, /answered, and the record says/],
])('%s is none', (_name, story, why) => expect(judged(story)).toEqual([expect.stringMatching(why)]))
