import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseStrict } from './strict.ts'

const malformed = (detail: string) => ({ ok: false, code: 'MalformedRequest', detail })

describe('refuses what two readers could read differently', () => {
  test.each([
    ['{"a":1,"a":2}', 'an object with the same key twice'],
    ['{"a":1,"\\u0061":2}', 'an object with the same key twice'],
    ['{"amount":1,"deep":{"b":[{"c":1,"c":1}]}}', 'an object with the same key twice'],
    ['{"__proto__":{"admin":true}}', 'the key __proto__'],
    ['{"\\u005f_proto__":1}', 'the key __proto__'],
    ['9007199254740993', 'a number at 0 that JSON readers cannot hold exactly'],
    ['[1, 12345678901234567890]', 'a number at 4 that JSON readers cannot hold exactly'],
    ['0.1000000000000000055', 'a number at 0 that JSON readers cannot hold exactly'],
    ['1e400', 'a number at 0 that JSON readers cannot hold exactly'],
    ['-1e400', 'a number at 0 that JSON readers cannot hold exactly'],
    ['1e-400', 'a number at 0 that JSON readers cannot hold exactly'],
    ['"\\ud800"', 'a lone surrogate'],
    ['"\\udc00\\ud800"', 'a lone surrogate'],
    ['{"\\ud800":1}', 'a lone surrogate'],
    ['"\ud800"', 'a lone surrogate'],
    ['\ufeff{}', 'a byte order mark'],
    ['{} {}', 'data after the end of the JSON'],
    ['01', 'data after the end of the JSON'],
    ['', 'JSON that ends too early'],
    ['{"a":', 'JSON that ends too early'],
    ['"abc', 'JSON that ends too early'],
    ['[1,]', 'JSON with an unexpected character at 3'],
    ['{"a":1,}', 'JSON with an unexpected character at 7'],
    ['{a:1}', 'JSON with an unexpected character at 1'],
    ["{'a':1}", 'JSON with an unexpected character at 1'],
    ['[1 2]', 'JSON with an unexpected character at 3'],
    ['+1', 'JSON with an unexpected character at 0'],
    ['.5', 'JSON with an unexpected character at 0'],
    ['NaN', 'JSON with an unexpected character at 0'],
    ['True', 'JSON with an unexpected character at 0'],
    ['/* x */1', 'JSON with an unexpected character at 0'],
    ['"a\nb"', 'JSON with an unexpected character at 2'],
    ['"\\x41"', 'JSON with an unexpected character at 2'],
    ['"\\u00g0"', 'JSON with an unexpected character at 2'],
    ['\u00a01', 'JSON with an unexpected character at 0'],
    ['[}', 'JSON with an unexpected character at 1'],
  ])('%j', (text, detail) => {
    expect(parseStrict(text)).toEqual(malformed(detail))
    if (!text.includes('\ud800')) expect(parseStrict(Buffer.from(text))).toEqual(malformed(detail))
  })

  test('invalid UTF-8: a stray byte, an overlong form, an encoded surrogate', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      expect(parseStrict(Uint8Array.from(bytes))).toEqual(malformed('invalid UTF-8'))
    }
  })
})

describe('caps', () => {
  test('a document nested 200,000 deep is refused, also when depth is allowed', () => {
    expect(parseStrict('['.repeat(200_000))).toEqual(malformed('nested deeper than 64'))
    expect(parseStrict('{"a":'.repeat(200_000))).toEqual(malformed('nested deeper than 64'))
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    expect(parseStrict(deep, { maxDepth: 200_000, maxNodes: 200_000 }).ok).toBe(true)
  })
  test('64 levels pass and 65 do not', () => {
    expect(parseStrict('['.repeat(64) + ']'.repeat(64)).ok).toBe(true)
    expect(parseStrict('['.repeat(65) + ']'.repeat(65)).ok).toBe(false)
  })
  test('bytes are counted, not characters', () => {
    expect(parseStrict('"éé"', { maxBytes: 6 }).ok).toBe(true)
    expect(parseStrict('"éé"', { maxBytes: 5 })).toEqual({ ok: false, code: 'RequestTooLarge', detail: '5 bytes' })
    expect(parseStrict(Buffer.alloc(4 * 1024 * 1024 + 1, 0x20))).toMatchObject({ code: 'RequestTooLarge' })
  })
  test('values are counted', () => {
    expect(parseStrict('[1,2]', { maxNodes: 3 }).ok).toBe(true)
    expect(parseStrict('[1,2]', { maxNodes: 2 })).toMatchObject({ ok: false, code: 'RequestTooLarge' })
  })
})

test.each([
  ['1.0', 1],
  ['1e2', 100],
  ['1E+2', 100],
  ['100e-2', 1],
  ['0.1', 0.1],
  ['-0', 0],
  ['0e999', 0],
  ['9007199254740991', 9007199254740991],
  ['12345678901234567000', 12345678901234567000],
  ['1.7976931348623157e308', Number.MAX_VALUE],
  ['5e-324', 5e-324],
  ['0.00000000000000000001', 1e-20],
])('%s is held exactly', (text, value) => {
  expect(parseStrict(text)).toStrictEqual({ ok: true, value })
})

test('keys of Object.prototype are members like any other', () => {
  const result = parseStrict('{"constructor":1,"toString":2,"hasOwnProperty":3}')
  expect(result).toEqual({ ok: true, value: { constructor: 1, toString: 2, hasOwnProperty: 3 } })
})

test('a part of a larger buffer is read alone', () => {
  const all = Buffer.from('[1][2][3]')
  expect(parseStrict(all.subarray(3, 6))).toEqual({ ok: true, value: [2] })
})

test('agrees with JSON.parse on everything JSON.stringify writes', () => {
  const json = fc.jsonValue({ maxDepth: 6 }).filter((value) => !JSON.stringify(value).includes('__proto__'))
  fc.assert(
    fc.property(json, fc.constantFrom(0, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      fc.pre(!/\\ud[89a-f]/i.test(text))
      expect(parseStrict(text)).toEqual({ ok: true, value: JSON.parse(text) })
    }),
  )
})

test('never accepts what JSON.parse refuses, nor reads it differently', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    'a',
    '\\u0061',
    '1',
    '-',
    '.',
    'e',
    '0',
    'true',
    'null',
    ' ',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      const result = parseStrict(text)
      if (result.ok) expect(JSON.stringify(result.value)).toBe(JSON.stringify(JSON.parse(text)))
    }),
    { numRuns: 2000 },
  )
})
