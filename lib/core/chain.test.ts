import { createPublicKey, verify } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { IntentBody, Receipt } from '../api/receipt.ts'
import { canonical, sha256hex } from './canonical.ts'
import {
  envelopeHash,
  type Incarnation,
  MAX_BODY_BYTES,
  newIncarnation,
  seal,
  startChain,
  verifyReceipts,
} from './chain.ts'
import { NOW } from './testing/remit.ts'

function chainOf(length: number, incarnation: Incarnation = newIncarnation()): Receipt[] {
  const { publicKey } = incarnation
  const agent = { id: 'uid-agent', namespace: 'payments', name: 'billing-bot' }
  let { receipt, state } = seal(
    startChain(incarnation, agent.id),
    'incarnation',
    { kind: 'incarnation', agent, publicKey, sidecar: { version: '1' } },
    NOW,
    7,
  )
  const receipts = [receipt]
  for (let i = 1; i < length; i++) {
    ;({ receipt, state } = seal(state, 'orphan', { kind: 'orphan', intent: `intent-${i}` }, NOW + i, 7))
    receipts.push(receipt)
  }
  return receipts
}
const incarnation = newIncarnation()
const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: incarnation.publicKey }, format: 'jwk' })
const chain = chainOf(6, incarnation)
const isCanonical = (value: unknown): boolean => {
  try {
    return canonical(value) !== ''
  } catch {
    return false
  }
}

test('an envelope has the form that was agreed on', () => {
  const [first, second] = chain as [Receipt, Receipt]
  expect(first.envelope).toEqual({
    v: 1,
    kind: 'incarnation',
    agent: 'uid-agent',
    incarnation: incarnation.id,
    epoch: 7,
    seq: 0,
    prev: '',
    time: '2026-11-21T02:00:00.000Z',
    body: expect.stringMatching(/^[0-9a-f]{64}$/),
    sig: expect.stringMatching(/^[\w-]{86}$/),
  })
  expect(second.envelope).toMatchObject({ seq: 1, prev: envelopeHash(first.envelope) })
})

test('an outsider verifies a signature from the published form alone', () => {
  const { sig, ...unsigned } = (chain[3] as Receipt).envelope
  expect(verify(null, Buffer.from(canonical(unsigned)), publicKey, Buffer.from(sig, 'base64url'))).toBe(true)
})

test('the text of a receipt is its canonical form, and its link the hash of its envelope', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.jsonValue(),
      fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      fc.nat(),
      fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
      (agent, args, epoch, seq, time) => {
        const call = { type: 'tool', server: 's', tool: 't', argumentsDigest: '', argumentsBytes: 0, arguments: args }
        const body = { kind: 'intent', agent: { name: agent }, call } as unknown as IntentBody
        fc.pre(isCanonical({ agent, body }) && canonical(body).length < MAX_BODY_BYTES / 4)
        const before = { ...startChain(incarnation, agent), seq, prev: 'ab'.repeat(32) }
        const { receipt, text, state } = seal(before, 'intent', body, time.getTime(), epoch)
        const { sig, ...unsigned } = receipt.envelope
        expect(text).toBe(canonical(receipt))
        expect(text).not.toContain('\n')
        expect(state.prev).toBe(sha256hex(canonical(receipt.envelope)))
        expect(verify(null, Buffer.from(canonical(unsigned)), publicKey, Buffer.from(sig, 'base64url'))).toBe(true)
      },
    ),
  )
})

test.each([
  ['an agent', '\ud800', 0],
  ['an epoch', 'a', Number.NaN],
])('%s that has no canonical form is not sealed', (_what, agent, epoch) => {
  const state = startChain(incarnation, agent)
  expect(() => seal(state, 'heartbeat', { kind: 'heartbeat' }, NOW, epoch)).toThrow()
})

test('a chain verifies whole, by its own key, from a middle and in batches', () => {
  expect(verifyReceipts(chain)).toEqual({ ok: true })
  expect(verifyReceipts(chain, incarnation.publicKey)).toEqual({ ok: true })
  expect(verifyReceipts(chain.slice(0, 3))).toEqual({ ok: true })
  const after = { seq: 2, hash: envelopeHash((chain[2] as Receipt).envelope) }
  expect(verifyReceipts(chain.slice(3), incarnation.publicKey, after)).toEqual({ ok: true })
  expect(verifyReceipts(JSON.parse(JSON.stringify(chain)))).toEqual({ ok: true })
})

test('a batch that does not follow is refused', () => {
  expect(verifyReceipts(chain.slice(3))).toMatchObject({ ok: false, why: 'no incarnation receipt names the key' })
  expect(verifyReceipts(chain.slice(3), incarnation.publicKey)).toMatchObject({ ok: false, at: 0 })
  expect(verifyReceipts(chain.slice(3), incarnation.publicKey, { seq: 2, hash: 'f'.repeat(64) })).toMatchObject({
    ok: false,
    at: 0,
  })
})

test('another key, or a chain signed by another, is refused', () => {
  const stranger = newIncarnation()
  expect(verifyReceipts(chain, stranger.publicKey)).toMatchObject({ ok: false, at: 0 })
  expect(verifyReceipts(chainOf(3, { ...incarnation, privateKey: stranger.privateKey }))).toMatchObject({
    ok: false,
    at: 0,
    why: 'the signature does not verify',
  })
  expect(verifyReceipts(chain, 'not-a-key')).toMatchObject({ ok: false, why: 'the key is not an Ed25519 key' })
})

test('any change of any character of any receipt is found, at that receipt or where it is linked', () => {
  const leaves: [number, string[]][] = []
  const walk = (at: number, value: unknown, path: string[]): void => {
    if (typeof value !== 'object' || value === null) leaves.push([at, path])
    else for (const [key, member] of Object.entries(value)) walk(at, member, [...path, key])
  }
  for (const [at, receipt] of chain.entries()) walk(at, receipt, [])
  fc.assert(
    fc.property(
      fc.constantFrom(...leaves),
      fc.nat(),
      fc.constantFrom('0', 'A', 'x', '-', '\u0000'),
      ([at, path], where, character) => {
        const copy: Receipt[] = JSON.parse(JSON.stringify(chain))
        let parent = copy[at] as unknown as Record<string, unknown>
        for (const key of path.slice(0, -1)) parent = parent[key] as Record<string, unknown>
        const key = path[path.length - 1] as string
        const old = parent[key]
        const text = String(old)
        const place = text.length === 0 ? 0 : where % text.length
        parent[key] = typeof old === 'number' ? old + 1 : `${text.slice(0, place)}${character}${text.slice(place + 1)}`
        fc.pre(parent[key] !== old)
        const verdict = verifyReceipts(copy)
        expect(verdict).toMatchObject({ ok: false, at: key === 'publicKey' ? 0 : at })
      },
    ),
    { numRuns: 1000 },
  )
})

test('a receipt left out, doubled, moved or added to is found', () => {
  const index = fc.nat(chain.length - 1)
  fc.assert(
    fc.property(index, index, fc.constantFrom('drop', 'double', 'swap', 'field'), (i, j, kind) => {
      const copy: Receipt[] = JSON.parse(JSON.stringify(chain))
      if (kind === 'drop') {
        fc.pre(i < chain.length - 1)
        copy.splice(i, 1)
      } else if (kind === 'double') copy.splice(j, 0, copy[i] as Receipt)
      else if (kind === 'swap') {
        fc.pre(i !== j)
        ;[copy[i], copy[j]] = [copy[j] as Receipt, copy[i] as Receipt]
      } else Object.assign((copy[i] as Receipt)[j % 2 ? 'envelope' : 'body'], { extra: 1 })
      expect(verifyReceipts(copy).ok).toBe(false)
    }),
  )
})

test('receipts of two chains do not mix', () => {
  const other = chainOf(6)
  expect(verifyReceipts([...chain.slice(0, 3), ...other.slice(3)])).toMatchObject({ ok: false, at: 3 })
})

test('a body of another kind or over 16 KB is not sealed', () => {
  const state = startChain(newIncarnation(), 'a')
  expect(() => seal(state, 'orphan', { kind: 'heartbeat' }, NOW, 0)).toThrow('a body of kind heartbeat')
  expect(() => seal(state, 'orphan', { kind: 'orphan', intent: 'x'.repeat(16 * 1024) }, NOW, 0)).toThrow(
    'over 16384 bytes',
  )
})

test.each([
  null,
  5,
  [],
  {},
  { envelope: null, body: null },
  { envelope: {}, body: {} },
  { ...chain[0], body: { kind: 'incarnation', publicKey: 5 } },
])('what is no receipt (%j) is found, not thrown at the reader', (stranger) => {
  expect(verifyReceipts([stranger as Receipt])).toMatchObject({ ok: false, at: 0 })
  expect(verifyReceipts([chain[0] as Receipt, stranger as Receipt])).toMatchObject({ ok: false, at: 1 })
})
test.each([
  ['sig', 5],
  ['sig', ''],
  ['seq', '1'],
  ['prev', null],
  ['time', '\ud800'],
])('an envelope whose %s is %j is found', (field, value) => {
  const receipt = structuredClone(chain[1] as Receipt)
  Object.assign(receipt.envelope, { [field]: value })
  expect(verifyReceipts([chain[0] as Receipt, receipt])).toMatchObject({ ok: false, at: 1 })
})

test('one signature has one spelling, so that one receipt has one hash', () => {
  const receipt = structuredClone(chain[5] as Receipt)
  const { sig } = receipt.envelope
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  receipt.envelope.sig = `${sig.slice(0, -1)}${alphabet[alphabet.indexOf(sig.slice(-1)) + 1]}`
  expect(Buffer.from(receipt.envelope.sig, 'base64url')).toEqual(Buffer.from(sig, 'base64url'))
  expect(verifyReceipts([...chain.slice(0, 5), receipt])).toEqual({
    ok: false,
    at: 5,
    why: 'the signature is not canonical base64url',
  })
})

test('an incarnation cannot take the id of another', () => {
  expect(verifyReceipts(chainOf(2, { ...incarnation, id: newIncarnation().id }))).toEqual({
    ok: false,
    at: 0,
    why: 'the incarnation is not that of the key',
  })
})
