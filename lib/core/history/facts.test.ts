import { expect, test } from 'vitest'
import type { CallRecord } from '../../api/receipt.ts'
import { factPath, factsAt, factsOfReceipt, valuesAt } from './facts.ts'

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

test('more values than a receipt has room for are not kept, and count as not to be judged', () => {
  const path = factPath('to[*]')
  const of = (count: number, length: number) => ({ to: Array.from({ length: count }, () => 'x'.repeat(length)) })
  const problem = { problem: 'to[*] has more values than can be kept count of' }
  expect(valuesAt(of(100, 3), path)).toEqual({ values: of(100, 3).to })
  expect(valuesAt(of(101, 3), path)).toEqual(problem)
  expect(valuesAt(of(30, 128), path)).toEqual(problem)
  expect(valuesAt(of(1, 100_000), path)).toMatchObject({ values: [expect.stringMatching(/^sha256:/)] })
  expect(factsAt(of(101, 3), [path])).toBeUndefined()
})
