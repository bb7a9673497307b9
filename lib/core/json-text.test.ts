import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inMember, membersOf, withMembers } from './json-text.ts'

describe('withMembers', () => {
  it('sets, adds and drops, and changes no letter of the other values', () => {
    const text = '{ "result" : {"id":1,"n":12345678901234567890,"s":"\\"id\\":7 }{"} , "id":1,"x":[1.0, {"id":2}] }'
    expect(withMembers(text, { set: { id: 'a"b' }, add: { id: 0, y: 2 }, drop: ['x'] })).toBe(
      '{"y":2,"result" : {"id":1,"n":12345678901234567890,"s":"\\"id\\":7 }{"},"id":"a\\"b"}',
    )
  })
  it('edits every member of a name that occurs twice, also where it is escaped', () => {
    expect(withMembers('{"id":1,"id":2,"\\u0069d":3}', { set: { id: 9 } })).toBe('{"id":9,"id":9,"id":9}')
    expect(withMembers('{"id":1,"a":0,"id":2}', { drop: ['id'] })).toBe('{"a":0}')
  })
  it('agrees with JSON.parse on any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), fc.string(), (object, id, gone) => {
        const text = JSON.stringify({ ...object, id: 1 })
        const { [gone]: _, ...rest } = JSON.parse(text) as Record<string, unknown>
        const expected = { ...rest, id }
        expect(JSON.parse(withMembers(text, { set: { id }, drop: gone === 'id' ? [] : [gone] }))).toEqual(expected)
        expect(membersOf(text).map(({ key, start, end }) => [key, JSON.parse(text.slice(start, end))])).toEqual(
          Object.entries(JSON.parse(text)),
        )
      }),
    )
  })
})

describe('inMember', () => {
  it('edits the object of that name, the last where there are two, and leaves what is no object', () => {
    const edit = { add: { resultType: 'complete', ttlMs: 0 } }
    expect(inMember('{"id":1,"result":{"ttlMs":5}}', 'result', edit)).toBe(
      '{"id":1,"result":{"resultType":"complete","ttlMs":5}}',
    )
    expect(inMember('{"id":1,"result":{} }', 'result', edit)).toBe(
      '{"id":1,"result":{"resultType":"complete","ttlMs":0} }',
    )
    expect(inMember('{"result":{"a":1},"result":{}}', 'result', { add: { b: 2 } })).toBe(
      '{"result":{"a":1},"result":{"b":2}}',
    )
    for (const text of ['{"id":1,"error":{}}', '{"result":[{}]}', '{}'])
      expect(inMember(text, 'result', edit)).toBe(text)
  })
})
