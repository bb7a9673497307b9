import { expect, test } from 'vitest'
import { asLegacy, asModern, underId } from './render.ts'

const answerOf = (raw: string) => ({ message: JSON.parse(raw), raw })
const NUMBERS = '"n":12345678901234567890,"d":1.0,"x":{"unknown":0.10}'

test('an answer that changes its form keeps every letter of what does not change', () => {
  const modern = asModern(
    'tools/call',
    answerOf(`{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{${NUMBERS}}}}`),
  )
  expect(modern.raw).toBe(
    `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","structuredContent":{${NUMBERS}}}}`,
  )
  expect(modern.message.result).toMatchObject({ resultType: 'complete' })
  expect(asLegacy('tools/call', underId(modern, 'a')).raw).toBe(
    `{"jsonrpc":"2.0","id":"a","result":{"structuredContent":{${NUMBERS}}}}`,
  )
})

test('cache hints are narrowed, and gone where there are none', () => {
  const raw =
    '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","tools":[],"ttlMs":90000,"cacheScope":"public"}}'
  expect(JSON.parse(asModern('tools/list', answerOf(raw)).raw).result).toEqual({
    resultType: 'complete',
    tools: [],
    ttlMs: 5_000,
    cacheScope: 'private',
  })
  expect(JSON.parse(asLegacy('tools/list', answerOf(raw)).raw).result).toEqual({ tools: [] })
})

test('message and text of an answer say the same', () => {
  for (const [render, method, raw] of [
    [asModern, 'resources/read', '{"id":1,"result":{"contents":[],"_meta":{"a":1}}}'],
    [asModern, 'resources/read', '{"id":1,"error":{"code":-32002,"message":"none","data":{"uri":"a:b"}}}'],
    [asLegacy, 'tools/call', '{"id":1,"result":{"resultType":"complete","structuredContent":[1]}}'],
  ] as const) {
    const shown = render(method, answerOf(raw), { name: 'server', version: '1' })
    expect(JSON.parse(shown.raw)).toEqual(shown.message)
  }
})
