import { expect, test } from 'vitest'
import { canonical, sha256hex } from './canonical.ts'

test('the example of RFC 8785, section 3.2.2', () => {
  const value = {
    numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  }
  const text =
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
  expect(canonical(value)).toBe(text)
})

test('keys are sorted by UTF-16 code units, as section 3.2.3 says', () => {
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
  const text = canonical(Object.fromEntries(keys.map((key) => [key, 0])))
  expect(Object.keys(JSON.parse(text)).sort()).toEqual([...keys].sort())
  expect(text).toBe('{"\\r":0,"1":0,"\u0080":0,"ö":0,"€":0,"😀":0,"\ufb33":0}')
})

test('what has no canonical form is an error, what is undefined is left out', () => {
  expect(() => canonical(Number.NaN)).toThrow()
  expect(() => canonical('\ud800')).toThrow()
  expect(() => canonical(undefined)).toThrow('no canonical JSON form')
  expect(canonical({ b: 1, a: undefined })).toBe('{"b":1}')
})

test('SHA-256 of a text is that of its UTF-8', () => {
  expect(sha256hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(sha256hex('é')).toBe(sha256hex(Buffer.from([0xc3, 0xa9])))
})
