import { describe, expect, test } from 'vitest'
import type { Receipt, ResultBody } from '../../lib/api/receipt.ts'
import { CASES, type CaseName } from './cases.ts'
import { type Evidence, faultsOf, type Player, type Seen } from './judge.ts'
import type { JournalLine } from './server/desk.ts'

const envelope = (seq: number) => ({ incarnation: 'a', seq }) as Receipt['envelope']
const intent = (name: CaseName, effect: string, rule: string, seq = 1): Receipt => ({
  envelope: envelope(seq),
  body: {
    kind: 'intent',
    call: { type: 'tool', server: 'desk', tool: 'x', arguments: { id: name }, argumentsDigest: '', argumentsBytes: 0 },
    decision: { effect, rule, reason: '' },
  } as unknown as Receipt['body'],
})
const model = (seq: number): Receipt => ({
  envelope: envelope(seq),
  body: { kind: 'intent', call: { type: 'model' }, decision: { effect: 'Allow' } } as unknown as Receipt['body'],
})
const result = (outcome: ResultBody['outcome'], of = 1): Receipt => ({
  envelope: envelope(100 + of),
  body: { kind: 'result', intent: `a-${of}`, outcome, durationMs: 1 },
})
const journal = (name: CaseName, ...events: JournalLine['event'][]): JournalLine[] =>
  events.map((event) => ({ event, tool: 'x', id: name }))
const seen = (name: CaseName, text: string, more: Partial<Seen> = {}): Seen => ({
  case: name,
  listed: ['read', 'pay', 'send', 'count', 'quit'],
  text,
  error: false,
  ...more,
})

const sdk: Player = { kind: 'sdk' }

const GOOD: Record<CaseName, Evidence> = {
  allow: {
    seen: seen('allow', 'allow is open'),
    receipts: [intent('allow', 'Allow', 'everyday'), result('ok')],
    journal: journal('allow', 'called', 'done'),
  },
  deny: {
    seen: seen('deny', 'at most 50.00', { error: true }),
    receipts: [intent('deny', 'Deny', 'small-payments')],
    journal: [],
  },
  hidden: {
    seen: seen('hidden', 'forbidden', { error: true }),
    receipts: [intent('hidden', 'Deny', 'never-erase')],
    journal: [],
  },
  held: {
    seen: seen('held', 'This call is waiting for ana.', { error: true }),
    receipts: [intent('held', 'Ask', 'letters-are-read-first')],
    journal: [],
  },
  slow: {
    seen: seen('slow', 'counted to 8', { progress: 8 }),
    receipts: [intent('slow', 'Allow', 'everyday'), result('ok')],
    journal: journal('slow', 'called', 'done'),
  },
  cancelled: {
    seen: seen('cancelled', 'gave up', { error: true }),
    receipts: [intent('cancelled', 'Allow', 'everyday'), result('cancelled')],
    journal: journal('cancelled', 'called', 'cancelled'),
  },
  model: {
    seen: seen('model', 'The tool said: model is open'),
    receipts: [
      intent('model', 'Allow', 'everyday'),
      result('ok'),
      model(2),
      result('ok', 2),
      model(3),
      result('ok', 3),
    ],
    journal: journal('model', 'called', 'done'),
  },
  dies: {
    seen: seen('dies', 'It ended. Whether the call took effect is unknown.', { error: true }),
    receipts: [intent('dies', 'Allow', 'everyday'), result('unreachable')],
    journal: journal('dies', 'called'),
  },
}

test.each(CASES)('%s without a fault has none', (name) => {
  expect(faultsOf(sdk, name, GOOD[name])).toEqual([])
})
test.each(CASES)('%s of which the client says nothing is a fault', (name) => {
  expect(faultsOf(sdk, name, { ...GOOD[name], seen: undefined })).toHaveLength(1)
})
test.each(CASES)('%s that is not recorded is a fault', (name) => {
  expect(faultsOf(sdk, name, { ...GOOD[name], receipts: [] })).not.toEqual([])
})
test.each(CASES)('%s that reached the server twice is a fault', (name) => {
  const once = [...journal(name, 'called'), ...GOOD[name].journal]
  expect(faultsOf(sdk, name, { ...GOOD[name], journal: once })).not.toEqual([])
})
test.each(CASES)('%s that was tried twice is a fault', (name) => {
  const { receipts } = GOOD[name]
  const again = { ...receipts[0]!, envelope: envelope(9) }
  expect(faultsOf(sdk, name, { ...GOOD[name], receipts: [...receipts, again] })).not.toEqual([])
})

describe('what the client saw', () => {
  test.each([
    ['allow', { listed: ['count', 'erase', 'pay', 'quit', 'read', 'send'] }],
    ['allow', { text: 'something else' }],
    ['allow', { error: true }],
    ['deny', { text: 'no' }],
    ['hidden', { listed: ['erase'] }],
    ['held', { text: 'An error occurred.' }],
    ['slow', { progress: 1 }],
    ['cancelled', { error: false }],
    ['dies', { text: 'it is gone' }],
  ] as const)('%s: %o is a fault', (name, more) => {
    const evidence = GOOD[name]
    const wrong = { ...evidence, seen: { ...evidence.seen!, ...more } as Seen }
    expect(faultsOf(sdk, name, wrong)).toHaveLength(1)
  })
  test('a client without patience has to give up what is slow, and be recorded as having done so', () => {
    const impatient: Player = { ...sdk, impatient: true }
    expect(faultsOf(impatient, 'slow', GOOD.slow)).not.toEqual([])
    const evidence = {
      seen: seen('slow', 'timed out', { error: true }),
      receipts: [intent('slow', 'Allow', 'everyday'), result('cancelled')],
      journal: journal('slow', 'called', 'cancelled'),
    }
    expect(faultsOf(impatient, 'slow', evidence)).toEqual([])
    expect(faultsOf(sdk, 'slow', evidence)).not.toEqual([])
  })
  test('an agent whose framework refuses the model itself is as good', () => {
    expect(faultsOf({ kind: 'agent' }, 'hidden', { ...GOOD.hidden, receipts: [] })).toEqual([])
  })
})
