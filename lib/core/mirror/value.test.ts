import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeValue, encodeValue } from './value.ts'

it.each([
  ['us-west1', 'us-west1'],
  ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['line1\nline2', '=?base64?bGluZTEKbGluZTI=?='],
  ['=?base64?literal?=', '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?='],
  ['', '=?base64??='],
  ['a\tb c', 'a\tb c'],
  ['=?BASE64?eA==?=', '=?BASE64?eA==?='],
  ['=?base64?eA==', '=?base64?eA=='],
  ['\ufeffa', '=?base64?77u/YQ==?='],
])('%j is written %s, as the specification has it', (value, header) => {
  expect(encodeValue(value)).toBe(header)
  expect(decodeValue(header)).toBe(value)
})

it.each([
  ['', ''],
  ['=?base64?YQ==?=', 'a'],
  ['=?base64?=', '=?base64?='],
])('%j is read as %j, though it is not how we write it', (header, value) => {
  expect(decodeValue(header)).toBe(value)
  expect(encodeValue(value)).not.toBe(header)
})

it.each([
  'a\u0001b',
  'é',
  ' a',
  'a\t',
  '=?base64?YQ?=',
  '=?base64?Y Q==?=',
  '=?base64?YQ==\u00a0?=',
  '=?base64?_w==?=',
  '=?base64?/w==?=',
  '=?base64?YR==?=',
  '=?base64?YQ==YQ==?=',
])('%j holds no value', (header) => expect(decodeValue(header)).toBeUndefined())

it('every value comes back as it was, and is always what a header may hold', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const header = encodeValue(value)
      expect(header).toMatch(/^[\x20-\x7e\t]+$/)
      expect(decodeValue(header)).toBe(value)
    }),
  )
})
