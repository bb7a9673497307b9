import { describe, expect, test } from 'vitest'
import { definitionOf, readTools } from './tools.ts'

const read = (value: unknown) =>
  readTools(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), 'tools.json')
const refund = { name: 'refund', inputSchema: { type: 'object' } }

test('a tools/list result or a bare list, for each server', () => {
  expect(read({ billing: { tools: [refund], nextCursor: 'x' }, mail: [] })).toEqual({ billing: [refund], mail: [] })
})

test('the definition of a tool; none where its server lists others; as pinned where the server is not there', () => {
  const tools = read({ billing: [refund] })
  expect(definitionOf(tools, 'billing', 'refund')).toEqual(refund)
  expect(definitionOf(tools, 'billing', 'pay')).toBeUndefined()
  expect(definitionOf(tools, 'constructor', 'pay')).toBe('pinned')
  expect(definitionOf(undefined, 'billing', 'refund')).toBe('pinned')
})

describe('what is refused, with where', () => {
  test.each([
    ['no JSON', 'tools', 'cannot be read as JSON'],
    ['a key twice', '{"a":[],"a":[]}', 'the same key twice'],
    ['a list', [], 'is not an object'],
    ['a server without tools', { billing: { resources: [] } }, 'no list of tools for "billing"'],
    ['a tool without a name', { billing: [refund, {}] }, 'a tool without a name: "billing", number 2'],
  ])('%s', (_, value, text) => {
    expect(() => read(value)).toThrow(`tools.json`)
    expect(() => read(value)).toThrow(text)
  })
})
