import { describe, expect, it } from 'vitest'
import { decodeHeader, headerProblem, mirroredOf, paramProblem } from './headers.ts'

describe('decodeHeader', () => {
  it.each([
    ['plain text', 'plain text'],
    ['=?base64?SGVsbG8sIOS4lueVjA==?=', 'Hello, 世界'],
    ['=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=', '=?base64?literal?='],
    ['=?base64??=', ''],
    ['=?BASE64?eA==?=', '=?BASE64?eA==?='],
    ['=?base64?eA=?=', undefined],
    ['=?base64?/w==?=', undefined],
    ['é', undefined],
    ['a\u0000', undefined],
  ])('%s', (value, decoded) => expect(decodeHeader(value)).toBe(decoded))
})

describe('headerProblem', () => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'resources/read', 'mcp-name': 'file:///a' }
  const message = { method: 'resources/read', params: { uri: 'file:///a' }, version: '2026-07-28' }
  it('finds none where all agree', () => expect(headerProblem(headers, message)).toBeUndefined())
  it.each(['mcp-protocol-version', 'mcp-method', 'mcp-name'])('wants %s, once and as the body has it', (name) => {
    expect(headerProblem({ ...headers, [name]: undefined }, message)).toMatch(/missing/)
    expect(headerProblem({ ...headers, [name]: 'other' }, message)).toMatch(/is not/)
    expect(
      headerProblem({ ...headers, [name]: [headers[name as keyof typeof headers], 'other'] }, message),
    ).toBeDefined()
  })
  it('wants no name of a method that has none, also of one that objects have', () => {
    for (const method of ['tools/list', 'constructor'])
      expect(
        headerProblem({ ...headers, 'mcp-method': method, 'mcp-name': 'x' }, { ...message, method }),
      ).toBeUndefined()
  })
})

describe('paramProblem', () => {
  const declared = mirroredOf({
    properties: {
      n: { type: 'integer', 'x-mcp-header': 'Count' },
      where: { properties: { dry: { type: 'boolean', 'x-mcp-header': 'Dry' } } },
      list: { items: { properties: { x: { 'x-mcp-header': 'No' } } } },
    },
  })
  it('reads what is declared along properties only', () => {
    expect(declared).toEqual([
      { path: ['n'], header: 'Count' },
      { path: ['where', 'dry'], header: 'Dry' },
    ])
  })
  it.each([
    [{ 'mcp-param-count': '42.0', 'mcp-param-dry': 'true' }, undefined],
    [{ 'mcp-param-count': '43', 'mcp-param-dry': 'true' }, /Count/],
    [{ 'mcp-param-count': '0x2a', 'mcp-param-dry': 'true' }, /Count/],
    [{ 'mcp-param-count': '42' }, /Mcp-Param-Dry header is missing/],
    [{ 'mcp-param-count': '42', 'mcp-param-dry': 'TRUE' }, /where\.dry/],
  ])('compares %j', (headers, problem) => {
    const found = paramProblem(headers, declared, { n: 42, where: { dry: true } })
    if (problem) expect(found).toMatch(problem)
    else expect(found).toBeUndefined()
  })
  it('expects no header of what is absent or null', () => {
    expect(paramProblem({}, declared, { n: null })).toBeUndefined()
    expect(paramProblem({}, declared, undefined)).toBeUndefined()
  })
})
