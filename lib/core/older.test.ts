import { expect, it } from 'vitest'
import { newerMembers, olderTool } from './older.ts'

it.each([
  [{ type: 'array' }, undefined],
  [{ anyOf: [{ type: 'object' }] }, undefined],
  [{ type: 'object' }, { type: 'object' }],
  [undefined, undefined],
])('of a tool with the form %j is read %j', (outputSchema, read) => {
  const tool = { name: 'a', ...(outputSchema ? { outputSchema } : {}) }
  expect(olderTool(tool)).toEqual({ name: 'a', ...(read ? { outputSchema: read } : {}) })
})

it.each([
  ['tools/call', { structuredContent: [1] }, ['structuredContent']],
  ['tools/call', { structuredContent: null }, ['structuredContent']],
  ['tools/call', { structuredContent: {} }, []],
  ['tools/call', { content: [] }, []],
  ['resources/read', { structuredContent: [1] }, []],
])('of a result of %s, %j, is not read %j', (method, result, members) => {
  expect(newerMembers(method, result)).toEqual(members)
})
