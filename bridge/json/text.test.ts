import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { membersOf, withId, withResultFields } from './text.ts'

describe('withId', () => {
  it('changes the id and not a letter besides', () => {
    const text = '{ "result" : {"id":1,"n":12345678901234567890,"s":"\\"id\\":7 }{"} , "id":1,"x":[1.0,{"id":2}] }'
    expect(withId(text, 'a"b')).toBe(text.replace('"id":1,"x"', '"id":"a\\"b","x"'))
  })
  it('changes every id of a message that has two, and one whose name is escaped', () => {
    expect(withId('{"id":1,"id":2,"\\u0069d":3}', 9)).toBe('{"id":9,"id":9,"\\u0069d":9}')
  })
  it('agrees with JSON.parse on any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (object, id) => {
        const text = JSON.stringify({ ...object, id: 1 })
        expect(JSON.parse(withId(text, id))).toEqual(JSON.parse(JSON.stringify({ ...object, id })))
        expect(membersOf(text).map(({ key, start, end }) => [key, JSON.parse(text.slice(start, end))])).toEqual(
          Object.entries(JSON.parse(text)),
        )
      }),
    )
  })
})

describe('withResultFields', () => {
  it('adds what is missing and leaves what is there', () => {
    expect(withResultFields('{"id":1,"result":{"ttlMs":5}}', { resultType: 'complete', ttlMs: 0 })).toBe(
      '{"id":1,"result":{"resultType":"complete","ttlMs":5}}',
    )
    expect(withResultFields('{"id":1,"result":{}}', { a: 1, b: 2 })).toBe('{"id":1,"result":{"a":1,"b":2}}')
    expect(withResultFields('{"id":1,"error":{}}', { a: 1 })).toBe('{"id":1,"error":{}}')
  })
})
