import { expect, test } from 'vitest'
import type { CallRecord } from '../../api/receipt.ts'
import { factsOfReceipt } from './facts.ts'

const record = (rest: object): Extract<CallRecord, { type: 'tool' }> => ({
  type: 'tool',
  server: 'billing',
  tool: 'refund',
  argumentsDigest: '',
  argumentsBytes: 0,
  ...rest,
})

test('what a rule of a later day may ask of an earlier call is in its receipt', () => {
  const args = {
    amount: 5,
    to: [{ iban: { 'dev.remit/commitment': 'sha256:x' }, name: 'a' }, { name: 'b' }],
    none: null,
  }
  expect(factsOfReceipt(record({ arguments: args }))).toEqual({ amount: [5], 'to[*].name': ['a', 'b'] })
})

test('what was recorded for it goes before what is found', () => {
  expect(factsOfReceipt(record({ arguments: { amount: 5 }, facts: { amount: ['5.00'] } }))).toEqual({
    amount: ['5.00'],
  })
  expect(factsOfReceipt(record({ facts: { id: [1] } }))).toEqual({ id: [1] })
  expect(factsOfReceipt(record({}))).toBeUndefined()
  expect(factsOfReceipt(record({ arguments: { text: 'x'.repeat(200) } }))?.text?.[0]).toMatch(/^sha256:/)
})
