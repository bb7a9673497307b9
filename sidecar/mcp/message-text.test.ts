import { describe, expect, it } from 'vitest'
import { textProblem } from './message-text.ts'

describe('textProblem', () => {
  it.each([
    ['{}'],
    ['{"jsonrpc":"2.0","id":1,"result":{"content":[],"Content":[],"x":1,"x":2,"task":{"task":{"id":1}}},"Extra":1}'],
    ['{"jsonrpc":"2.0","method":"notifications/message","params":{"method":"a","Method":"b","id":1}}'],
    ['{"jsonrpc":"2.0","id":1,"result":{"content":[{"resultType":1},{"ResultType":2}],"a":"\\"Task\\":{"}}'],
    [`{"jsonrpc":"2.0","id":1,"result":{"deep":${'['.repeat(500)}${']'.repeat(500)}}}`],
    [' { "id" : 1 , "result" : { "resultType" : "complete" } , "jsonrpc" : "2.0" } '],
    [`{"jsonrpc":"2.0","id":1,"result":{"numbers":[${'0.5,'.repeat(600_000)}1]}}`],
  ])('of %.100s there is none', (text) => {
    JSON.parse(text)
    expect(textProblem(text)).toBeUndefined()
  })

  it.each([
    ['{"jsonrpc":"2.0","method":"a","Method":"b"}', 'method is also spelled otherwise'],
    ['{"jsonrpc":"2.0","method":"a","ID":7}', 'id is also spelled otherwise'],
    ['{"jsonrpc":"2.0","id":1,"result":{"a":[1,{"b":2}]},"result":{}}', 'it has result twice'],
    ['{"jsonrpc":"2.0","id":1,"result":{},"re\\u0073ult":{}}', 'it has result twice'],
    [
      '{"id":1,"result":{"resultType":"complete","content":[{}],"resultType":"input_required"}}',
      'it has resultType twice',
    ],
    ['{"id":1,"result":{"content":[],"inputrequests":{}}}', 'inputRequests is also spelled otherwise'],
    ['{"id":1,"error":{"code":1,"message":"a","Code":-32042}}', 'code is also spelled otherwise'],
    [`{"id":1,"result":{"deep":${'[{"a":'.repeat(256)}1${'}]'.repeat(256)}}}`, 'it is nested deeper than 512'],
    [`{"id":1,"result":{"a":[${'{},'.repeat(500_000)}1]}}`, 'it has more than 150000 objects, lists and strings'],
    [`{"id":1,"result":{"a":[${'"",'.repeat(500_000)}1]}}`, 'it has more than 150000 objects, lists and strings'],
    [`{"id":1,"result":{"a":[${'1,'.repeat(700_000)}1]}}`, 'its lists have more than 650000 items'],
  ])('of %.100s is told', (text, told) => {
    JSON.parse(text)
    expect(textProblem(text)).toBe(told)
  })

  it.each(['', '"', '{"', '{"a\\', ']]]]{"id"', '{"\\ud8"', '{"id":1,"i\\u00zz":2}'])(
    'of %s, which is no JSON, whoever parses it tells',
    (text) => {
      expect(() => JSON.parse(text)).toThrow(SyntaxError)
      expect(textProblem(text)).toBeUndefined()
    },
  )
})
